package waitable_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/waitable"
)

// watchdog is how long a test waits for what must come.
const watchdog = time.Minute

// patient returns a context for waits that must not last.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), watchdog)
	t.Cleanup(cancel)
	return ctx
}

// errNow is the cause of now's end.
var errNow = errors.New("it is over")

// now returns a context that is done.
func now() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errNow)
	return ctx
}

func expect(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func succeed(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// receive returns what a goroutine sends, or fails the test.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(watchdog):
		t.Fatalf("%s: nothing after %v", what, watchdog)
		panic("not reached")
	}
}

// inBackground returns what a call in a goroutine of its own comes to.
func inBackground(call func() error) <-chan error {
	result := make(chan error, 1)
	go func() { result <- call() }()
	return result
}

// eventually tries until it succeeds.
func eventually(t testing.TB, what string, try func() bool) {
	t.Helper()
	for deadline := time.Now().Add(watchdog); !try(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not after %v", what, watchdog)
		}
	}
}

// closeLater closes an object when the test ends, if it is not closed by then.
func closeLater[T interface{ Close() error }](t testing.TB, object T, err error) T {
	t.Helper()
	succeed(t, "opening an object", err)
	t.Cleanup(func() { object.Close() })
	return object
}

// The functions below return objects that are closed when the test ends.

func mutex(t testing.TB, name string) *waitable.Mutex {
	t.Helper()
	m, _, err := waitable.OpenOrCreateMutex(name, nil)
	return closeLater(t, m, err)
}

func semaphore(t testing.TB, name string, initial, maximum int) *waitable.Semaphore {
	t.Helper()
	s, _, err := waitable.OpenOrCreateSemaphore(name, initial, maximum, nil)
	return closeLater(t, s, err)
}

func autoEvent(t testing.TB, name string) *waitable.Event {
	t.Helper()
	e, _, err := waitable.OpenOrCreateEvent(name, nil)
	return closeLater(t, e, err)
}

func manualEvent(t testing.TB, name string) *waitable.Event {
	t.Helper()
	e, _, err := waitable.OpenOrCreateEvent(name, &waitable.EventOptions{ManualReset: true})
	return closeLater(t, e, err)
}

func autoTimer(t testing.TB, name string) *waitable.Timer {
	t.Helper()
	timer, _, err := waitable.OpenOrCreateTimer(name, nil)
	return closeLater(t, timer, err)
}

// lock locks a mutex and expects its last holder to have unlocked it.
func lock(t testing.TB, m *waitable.Mutex) waitable.Hold {
	t.Helper()
	hold, err := m.Lock(patient(t))
	succeed(t, "Lock", err)
	if hold.Abandoned() {
		t.Error("the mutex is abandoned")
	}
	return hold
}

func unlock(t testing.TB, hold waitable.Hold) {
	t.Helper()
	succeed(t, "Unlock", hold.Unlock())
}

// expectLocked fails the test if a mutex can be locked.
func expectLocked(t testing.TB, m *waitable.Mutex) {
	t.Helper()
	if _, locked, err := m.TryLock(); locked || err != nil {
		t.Errorf("TryLock of a locked mutex: %v, %v", locked, err)
	}
}

// expectTaken fails the test unless a try to take an object says so.
func expectTaken(t testing.TB, what string, try func() (bool, error), want bool) {
	t.Helper()
	if got, err := try(); got != want || err != nil {
		t.Errorf("%s: taken %v, %v, want %v", what, got, err, want)
	}
}

// expectPermits fails the test unless a semaphore has so many, and takes them.
func expectPermits(t testing.TB, s *waitable.Semaphore, want int) {
	t.Helper()
	for range want {
		expectTaken(t, "TryAcquire", s.TryAcquire, true)
	}
	expectTaken(t, "TryAcquire of one too many", s.TryAcquire, false)
}

// expectIndex fails the test unless a wait took the object of an index.
func expectIndex(t testing.TB, what string, r waitable.Result, err error, want int) {
	t.Helper()
	if err != nil || r.Index != want {
		t.Errorf("%s: object %d, %v, want %d", what, r.Index, err, want)
	}
}

// expectClosed fails the test unless an error says that the handle is closed.
func expectClosed(t testing.TB, what string, err error) {
	t.Helper()
	expect(t, what+" of a closed handle", err, os.ErrClosed)
}

// settle gives a wait that another goroutine begins time to sleep. The tests
// are right without, but then try less.
func settle() { time.Sleep(20 * time.Millisecond) }

// counter creates the mapping that a peer's count is in, and returns what reads
// it.
func counter(t testing.TB, name string) func() int {
	t.Helper()
	m, err := filemap.Create(name, 2, nil)
	closeLater(t, m, err)
	v, err := m.View(0, 0)
	closeLater(t, v, err)
	return func() int {
		number := make([]byte, 2)
		_, err := v.ReadAt(number, 0)
		succeed(t, "ReadAt", err)
		return int(number[0]) + int(number[1])<<8
	}
}
