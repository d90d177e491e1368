package guard

import (
	"os"
	"runtime/debug"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
)

// watcher is what guards and keepers are: a process that sees how the job ends.
type watcher struct {
	Setup
	page []byte // the job's: another user may truncate it
}

func newWatcher(s Setup, name string) (w watcher, err error) {
	sys.SetName(name)
	w.Setup = s
	w.page, err = sys.Mmap(s.Descriptor, 0, os.Getpagesize(), sys.ProtRead|sys.ProtWrite, false, 0)
	return w, err
}

// touch calls f, which touches the page, and reports whether the page was there.
func touch(f func()) (ok bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { ok = recover() == nil }()
	f()
	return
}

// Lock implements Job.
func (w *watcher) Lock() error { return sys.Flock(w.Descriptor) }

// Unlock implements Job.
func (w *watcher) Unlock() { _ = sys.Unflock(w.Descriptor) }

// HasHandle implements Job.
func (w *watcher) HasHandle() bool {
	locked, err := sys.ByteLocked(w.Descriptor, w.HandleByte)
	return locked || err != nil
}

// IsNamed implements Job.
func (w *watcher) IsNamed() bool {
	if w.Name == "" {
		return false
	}
	own, err := sys.Fstat(w.Descriptor)
	if err != nil {
		return false
	}
	named, err := sys.Lstat(w.Name)
	return err == nil && named.Dev == own.Dev && named.Ino == own.Ino
}

// Unlink implements Job.
func (w *watcher) Unlink() { _ = sys.Unlink(w.Name) }

// Pause implements Job.
func (w *watcher) Pause() { time.Sleep(time.Millisecond) }

// stops returns how often the job was terminated, unless its page is gone.
func (w *watcher) stops() (n uint64, ok bool) {
	ok = touch(func() { n = sys.Word64(w.page, w.StopAt).Load() })
	return n, ok
}

// Stopped implements Job: also if the page is gone.
func (w *watcher) Stopped() bool {
	stop, ok := w.stops()
	return !ok || stop != w.Stop
}

// SleepUntilStopped implements Job.
func (w *watcher) SleepUntilStopped() {
	const hour = 3600e9
	sys.FutexWait(w.futex(w.StopAt), uint32(w.Stop), hour)
}

func (w *watcher) futex(at int) sys.Futex { return sys.SharedFutex(sys.Word64(w.page, at)) }

// Announce implements Job.
func (w *watcher) Announce() {
	touch(func() { ChangeState(sys.Word64(w.page, w.StateAt)) })
	sys.FutexWake(w.futex(w.StateAt))
}
