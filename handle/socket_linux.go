package handle

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"

	"github.com/filemap-go/filemap/object"
)

func send(conn *net.UnixConn, f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		_, _, sent = conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(fd)), nil)
	})
	if err != nil {
		return err
	}
	return sent
}

// descriptorsMax is how many descriptors of one message are taken, so that they
// can be closed. The system closes those for which there is no room.
const descriptorsMax = 16

func receive(conn *net.UnixConn) (*os.File, error) {
	data, control := make([]byte, 1), make([]byte, syscall.CmsgSpace(4*descriptorsMax))
	n, controls, flags, _, err := conn.ReadMsgUnix(data, control)
	descriptors := passedDescriptors(control[:controls])
	if err == nil {
		err = checkMessage(n, len(descriptors), flags)
	}
	if err != nil {
		for _, fd := range descriptors {
			syscall.Close(fd)
		}
		return nil, err
	}
	return os.NewFile(uintptr(descriptors[0]), "filemap"), nil
}

func checkMessage(bytes, descriptors, flags int) error {
	switch {
	case bytes == 0 && descriptors == 0:
		return io.EOF
	case flags&syscall.MSG_CTRUNC != 0:
		return object.Explain(fs.ErrInvalid, "a message came with more descriptors than one")
	case descriptors != 1:
		return object.Explain(fs.ErrInvalid, fmt.Sprintf(
			"%d bytes came with %d descriptors instead of one", bytes, descriptors))
	}
	return nil
}

// passedDescriptors returns the descriptors that came with a message.
func passedDescriptors(control []byte) (all []int) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		if descriptors, err := syscall.ParseUnixRights(&m); err == nil {
			all = append(all, descriptors...)
		}
	}
	return all
}
