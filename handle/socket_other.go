//go:build !linux

package handle

import (
	"errors"
	"net"
	"os"

	"github.com/filemap-go/filemap/object"
)

var errSocket = object.Explain(errors.ErrUnsupported,
	"the sockets of this system pass no handles: use Duplicate")

func send(*net.UnixConn, *os.File) error { return errSocket }

func receive(*net.UnixConn) (*os.File, error) { return nil, errSocket }
