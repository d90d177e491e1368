package test

import (
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestDeathWithoutRobustLists has the system refuse the list by which it tells of
// the death of a mutex's owner. The look of each wait at the owner finds it.
func TestDeathWithoutRobustLists(t *testing.T) {
	for _, errno := range []syscall.Errno{unix.ENOSYS, unix.EPERM} {
		t.Run(errno.Error(), func(t *testing.T) {
			if !whereDenied(t, denial{Call: unix.SYS_SET_ROBUST_LIST, Errno: errno}) {
				return
			}
			ns := filemaptest.New(t)
			m := newMutex(t, ns, "mutex")
			hold, err := m.Lock(t.Context())
			succeed(t, "Lock", err)
			succeed(t, "Unlock", hold.Unlock())
			p := startPeer(t)
			_, err = p.do(request{Op: "lock", Name: m.Name()})
			succeed(t, "the peer locks", err)
			time.AfterFunc(time.Second, p.kill)
			used := processorTime(t)
			hold, err = m.Lock(t.Context())
			if err != nil || !hold.Abandoned() {
				t.Errorf("Lock: abandoned %v, %v", hold.Abandoned(), err)
			}
			t.Logf("figures: a wait without robust lists took %v of a processor", processorTime(t)-used)
			l, err := channel.Listen(ns.Name("service"), nil)
			keepOpen(t, l, err)
			c, err := channel.Dial(t.Context(), ns.Name("service"), nil)
			keepOpen(t, c, err)
		})
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage unix.Rusage
	succeed(t, "Getrusage", unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
