package handle

import (
	"net"
	"os"
)

// Send passes an open file over a unix socket, with one byte of data. The other
// side calls [Receive] for it. f stays open; the caller may close it at once: the
// object lives while the file is on its way.
//
// Send waits while the socket's buffer is full, until conn's write deadline.
//
// See unix(7), SCM_RIGHTS. Windows has no such thing, errors.ErrUnsupported: see
// [Duplicate].
func Send(conn *net.UnixConn, f *os.File) error { return failed("send", send(conn, f)) }

// Receive returns the open file that the other side has sent next by [Send]. The
// caller closes it. It waits for it until conn's read deadline.
//
// The other side may be a process of any user. Returns io.EOF if it has closed the
// connection, and an error that says what came if that is not one byte with one
// file; what came is closed then, and the connection should be, too.
func Receive(conn *net.UnixConn) (*os.File, error) {
	f, err := receive(conn)
	return f, failed("receive", err)
}
