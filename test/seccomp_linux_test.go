package test

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestDenials(t *testing.T) {
	if !whereDenied(t,
		denial{Call: unix.SYS_GETPRIORITY, Errno: unix.ENOSYS},
		denial{Call: unix.SYS_FCNTL, Errno: unix.EINVAL, Arg: 1, Mask: ^uint32(0), Value: unix.F_OFD_GETLK},
	) {
		return
	}
	_, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	expect(t, "a call", err, unix.ENOSYS)
	_, err = unix.FcntlInt(0, unix.F_OFD_GETLK, 0)
	expect(t, "a call with an argument", err, unix.EINVAL)
	_, err = unix.FcntlInt(0, unix.F_GETFD, 0)
	succeed(t, "the call with another argument", err)
}
