package test

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// The cases of objects that can be waited for.

// expired returns a context that is done: a wait with it only looks.
func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// expectWait checks that a look at objects takes the one of an index, or none
// where that is negative.
func expectWait(t *testing.T, what string, index int, objects ...waitable.Object) waitable.Result {
	t.Helper()
	r, err := waitable.Any(expired(), objects...)
	switch {
	case index < 0:
		expect(t, what, err, context.Canceled)
	case err != nil || r.Index != index:
		t.Errorf("%s: took %d, %v, want %d", what, r.Index, err, index)
	}
	return r
}

// keepOpen closes an object when the test ends, if it has not been by then.
func keepOpen[T interface{ Close() error }](t *testing.T, o T, err error) T {
	t.Helper()
	succeed(t, "making an object", err)
	t.Cleanup(func() { o.Close() })
	return o
}

func newEvent(t *testing.T, ns *filemaptest.Namespace, base string, manual, signaled bool) *waitable.Event {
	t.Helper()
	e, err := waitable.CreateEvent(ns.Name(base),
		&waitable.EventOptions{ManualReset: manual, Signaled: signaled})
	return keepOpen(t, e, err)
}

func newSemaphore(t *testing.T, ns *filemaptest.Namespace, base string, initial, most int) *waitable.Semaphore {
	t.Helper()
	s, err := waitable.CreateSemaphore(ns.Name(base), initial, most, nil)
	return keepOpen(t, s, err)
}

func newMutex(t *testing.T, ns *filemaptest.Namespace, base string) *waitable.Mutex {
	t.Helper()
	m, err := waitable.CreateMutex(ns.Name(base), nil)
	return keepOpen(t, m, err)
}

func newTimer(t *testing.T, ns *filemaptest.Namespace, base string, manual bool) *waitable.Timer {
	t.Helper()
	timer, err := waitable.CreateTimer(ns.Name(base), &waitable.TimerOptions{ManualReset: manual})
	return keepOpen(t, timer, err)
}

// abandonedMutex returns a mutex whose owner has closed it.
func abandonedMutex(t *testing.T, ns *filemaptest.Namespace, base string) *waitable.Mutex {
	t.Helper()
	m := newMutex(t, ns, base)
	owner, err := waitable.OpenMutex(ns.Name(base))
	succeed(t, "OpenMutex", err)
	_, err = owner.Lock(context.Background())
	succeed(t, "Lock", err)
	succeed(t, "Close", owner.Close())
	return m
}

// patience is how long a wait goes on for what must come.
func patience(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func mutexInitialOwner(t *testing.T, ns *filemaptest.Namespace) {
	m, hold, err := waitable.CreateLockedMutex(ns.Name("m"), nil)
	keepOpen(t, m, err)
	_, _, err = waitable.CreateLockedMutex(ns.Name("m"), nil)
	expect(t, "create again", err, fs.ErrExist)
	expectWait(t, "another's wait", -1, m)
	succeed(t, "Unlock", hold.Unlock())
	expect(t, "one more", hold.Unlock(), object.ErrNotOwner)
}

func mutexRecursive(t *testing.T, ns *filemaptest.Namespace) {
	m := newMutex(t, ns, "m")
	hold, err := m.Lock(patience(t))
	succeed(t, "Lock", err)
	succeed(t, "Relock", hold.Relock())
	succeed(t, "Relock", hold.Relock())
	expectWait(t, "another's wait", -1, m)
	for range 3 {
		succeed(t, "Unlock", hold.Unlock())
	}
	expect(t, "one more", hold.Unlock(), object.ErrNotOwner)
}

func mutexAbandoned(t *testing.T, ns *filemaptest.Namespace) {
	m := abandonedMutex(t, ns, "m")
	hold, err := m.Lock(patience(t))
	if err != nil || !hold.Abandoned() {
		t.Errorf("the first wait: abandoned %v, %v", hold.Abandoned(), err)
	}
	succeed(t, "Relock", hold.Relock())
	succeed(t, "Unlock", hold.Unlock())
	succeed(t, "Unlock", hold.Unlock())
	hold, err = m.Lock(patience(t))
	if err != nil || hold.Abandoned() {
		t.Errorf("the next: abandoned %v, %v", hold.Abandoned(), err)
	}
	succeed(t, "Unlock", hold.Unlock())
}

func mutexAbandonedAny(t *testing.T, ns *filemaptest.Namespace) {
	r := expectWait(t, "any", 1, newEvent(t, ns, "e", false, false), abandonedMutex(t, ns, "m"))
	if !r.Abandoned() {
		t.Error("not abandoned")
	}
}

func mutexAbandonedAll(t *testing.T, ns *filemaptest.Namespace) {
	r, err := waitable.All(patience(t), newEvent(t, ns, "e", false, true),
		abandonedMutex(t, ns, "a"), abandonedMutex(t, ns, "b"))
	succeed(t, "All", err)
	if !r.Abandoned() {
		t.Error("not abandoned")
	}
	succeed(t, "releasing the first", r.Holds[1].Unlock())
	succeed(t, "releasing the second", r.Holds[2].Unlock())
}

func mutexHandoff(t *testing.T, ns *filemaptest.Namespace) {
	m := newMutex(t, ns, "m")
	hold, err := m.Lock(patience(t))
	succeed(t, "Lock", err)
	expectWait(t, "while it is owned", -1, m)
	waiter := waitable.Chan(patience(t), m)
	succeed(t, "Unlock", hold.Unlock())
	succeed(t, "the waiter", (<-waiter).Err)
}

// semaphoreRefused checks that a semaphore can't be made so.
func semaphoreRefused(initial, most int) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		_, err := waitable.CreateSemaphore(ns.Name("s"), initial, most, nil)
		expect(t, "CreateSemaphore", err, fs.ErrInvalid)
	})
}

func semaphoreLargest(t *testing.T, ns *filemaptest.Namespace) {
	expectWait(t, "a wait", 0, newSemaphore(t, ns, "s", 0x7fffffff, 0x7fffffff))
}

func semaphoreReleaseTooMany(t *testing.T, ns *filemaptest.Namespace) {
	s := newSemaphore(t, ns, "s", 0, 10)
	previous, err := s.Release(3)
	if previous != 0 || err != nil {
		t.Errorf("release 3: %d, %v", previous, err)
	}
	_, err = s.Release(8)
	expect(t, "release 8", err, object.ErrLimit)
	previous, err = s.Release(7)
	if previous != 3 || err != nil {
		t.Errorf("release 7: %d, %v", previous, err)
	}
}

// semaphoreRelease checks what a release gives to a full semaphore.
func semaphoreRelease(n int, want error) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		_, err := newSemaphore(t, ns, "s", 1, 1).Release(n)
		expect(t, "Release", err, want)
	})
}

func semaphoreWakes(t *testing.T, ns *filemaptest.Namespace) {
	s := newSemaphore(t, ns, "s", 0, 4)
	woken := waiters(t, 4, s.Acquire)
	_, err := s.Release(3)
	succeed(t, "Release", err)
	woken(3)
}

// waiters starts so many waits, and returns what checks how many of them end.
func waiters(t *testing.T, n int, wait func(context.Context) error) (expectWoken func(want int)) {
	ctx, cancel := context.WithCancel(context.Background())
	results := make(chan error, n)
	for range n {
		go func() { results <- wait(ctx) }()
	}
	time.Sleep(100 * time.Millisecond) // so that pulses find them; else they need not wait
	return func(want int) {
		t.Helper()
		for range want {
			succeed(t, "a waiter", <-results)
		}
		cancel()
		for range n - want {
			expect(t, "another waiter", <-results, context.Canceled)
		}
	}
}

func eventAuto(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", false, false)
	expectWait(t, "unset", -1, e)
	succeed(t, "Set", e.Set())
	succeed(t, "Set", e.Set())
	expectWait(t, "set twice", 0, e)
	expectWait(t, "taken", -1, e)
}

func eventManual(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", true, false)
	succeed(t, "Set", e.Set())
	expectWait(t, "set", 0, e)
	expectWait(t, "still set", 0, e)
	succeed(t, "Reset", e.Reset())
	expectWait(t, "reset", -1, e)
}

func eventSetReset(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", false, false)
	succeed(t, "Set", e.Set())
	succeed(t, "Reset", e.Reset())
	expectWait(t, "reset", -1, e)
}

// eventWakes checks how many of three waiters an event lets go, and that it is
// not signaled after that.
func eventWakes(manual bool, signal func(*waitable.Event) error, want int) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		e := newEvent(t, ns, "e", manual, false)
		woken := waiters(t, 3, e.Wait)
		succeed(t, "the signal", signal(e))
		woken(want)
		expectWait(t, "after that", -1, e)
	})
}

func timerManual(t *testing.T, ns *filemaptest.Namespace) {
	timer := newTimer(t, ns, "t", true)
	succeed(t, "SetAfter", timer.SetAfter(0, 0))
	succeed(t, "Wait", timer.Wait(patience(t)))
	succeed(t, "Wait", timer.Wait(patience(t)))
	succeed(t, "SetAfter", timer.SetAfter(time.Hour, 0))
	expectWait(t, "armed again", -1, timer)
}

func timerRelative(t *testing.T, ns *filemaptest.Namespace) {
	timer := newTimer(t, ns, "t", false)
	start := time.Now()
	succeed(t, "SetAfter", timer.SetAfter(100*time.Millisecond, 0))
	succeed(t, "Wait", timer.Wait(patience(t)))
	expectNotEarly(t, start, 100*time.Millisecond)
	expectWait(t, "again", -1, timer)
}

func timerAbsolute(t *testing.T, ns *filemaptest.Namespace) {
	timer := newTimer(t, ns, "t", false)
	start := time.Now()
	succeed(t, "SetAt", timer.SetAt(start.Add(100*time.Millisecond), 0))
	succeed(t, "Wait", timer.Wait(patience(t)))
	expectNotEarly(t, start, 100*time.Millisecond)
	succeed(t, "SetAt", timer.SetAt(start.Add(-time.Hour), 0))
	succeed(t, "Wait", timer.Wait(patience(t)))
}

// expectNotEarly allows for the grain of the system's clocks.
func expectNotEarly(t *testing.T, start time.Time, least time.Duration) {
	t.Helper()
	if took := time.Since(start); took < least-20*time.Millisecond {
		t.Errorf("after %v, want %v", took, least)
	}
}

func timerPeriodic(t *testing.T, ns *filemaptest.Namespace) {
	timer := newTimer(t, ns, "t", false)
	start := time.Now()
	succeed(t, "SetAfter", timer.SetAfter(50*time.Millisecond, 50*time.Millisecond))
	for range 4 {
		succeed(t, "Wait", timer.Wait(patience(t)))
	}
	expectNotEarly(t, start, 200*time.Millisecond)
	succeed(t, "Cancel", timer.Cancel())
	_, err := timer.TryWait() // it may have fired once more before
	succeed(t, "TryWait", err)
	expectWait(t, "cancelled", -1, timer)
}

func timerNoQueue(t *testing.T, ns *filemaptest.Namespace) {
	timer := newTimer(t, ns, "t", false)
	const period = 300 * time.Millisecond
	succeed(t, "SetAfter", timer.SetAfter(0, period))
	time.Sleep(3*period + period/4)
	expectWait(t, "after several periods", 0, timer)
	expectWait(t, "missed periods do not queue", -1, timer)
}

func timerWakes(t *testing.T, ns *filemaptest.Namespace) {
	for _, test := range []struct {
		base   string
		manual bool
		want   int
	}{{"manual", true, 3}, {"auto", false, 1}} {
		timer := newTimer(t, ns, test.base, test.manual)
		woken := waiters(t, 3, timer.Wait)
		succeed(t, "SetAfter", timer.SetAfter(time.Millisecond, 0))
		woken(test.want)
	}
}

func waitTimeout(t *testing.T, ns *filemaptest.Namespace) {
	ctx, cancel := context.WithTimeout(context.Background(), 120*time.Millisecond)
	defer cancel()
	start := time.Now()
	expect(t, "Wait", newEvent(t, ns, "e", false, false).Wait(ctx), context.DeadlineExceeded)
	expectNotEarly(t, start, 120*time.Millisecond)
}

func waitClosed(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", false, true)
	succeed(t, "Close", e.Close())
	expect(t, "Wait", e.Wait(patience(t)), fs.ErrClosed)
}

func waitAllAtomic(t *testing.T, ns *filemaptest.Namespace) {
	set, unset := newEvent(t, ns, "set", false, true), newEvent(t, ns, "unset", false, false)
	_, err := waitable.All(expired(), set, unset)
	expect(t, "All", err, context.Canceled)
	expectWait(t, "the first is still set", 0, set)
}

func waitAllMixed(t *testing.T, ns *filemaptest.Namespace) {
	e, s, m := newEvent(t, ns, "e", false, true), newSemaphore(t, ns, "s", 2, 2), newMutex(t, ns, "m")
	r, err := waitable.All(patience(t), e, s, m)
	succeed(t, "All", err)
	expectWait(t, "the event", -1, e)
	expectWait(t, "the semaphore", 0, s)
	expectWait(t, "the semaphore again", -1, s)
	succeed(t, "Unlock", r.Holds[2].Unlock())
}

func waitAnyClosedMember(t *testing.T, ns *filemaptest.Namespace) {
	set, closed := newEvent(t, ns, "set", false, true), newEvent(t, ns, "closed", false, false)
	succeed(t, "Close", closed.Close())
	_, err := waitable.Any(expired(), closed, set)
	expect(t, "Any", err, fs.ErrClosed)
	expectWait(t, "the other is still set", 0, set)
}

func waitMutexes(t *testing.T, ns *filemaptest.Namespace) {
	var all []waitable.Object
	for _, base := range []string{"a", "b", "c", "d"} {
		all = append(all, newMutex(t, ns, base))
	}
	r := expectWait(t, "any", 0, all...)
	expect(t, "release 1", r.Holds[1].Unlock(), object.ErrNotOwner)
	succeed(t, "release 0", r.Holds[0].Unlock())
	r, err := waitable.All(patience(t), all...)
	succeed(t, "All", err)
	for _, hold := range r.Holds {
		succeed(t, "Unlock", hold.Unlock())
	}
}

func signalAndWaitEvents(t *testing.T, ns *filemaptest.Namespace) {
	e0, e1 := newEvent(t, ns, "0", false, false), newEvent(t, ns, "1", false, true)
	_, err := waitable.SignalAndWait(expired(), e0.Set, e1)
	succeed(t, "to what is set", err)
	expectWait(t, "the signal", 0, e0)
	_, err = waitable.SignalAndWait(expired(), e0.Set, e0)
	succeed(t, "to itself", err)
	expectWait(t, "after itself", -1, e0)
	_, err = waitable.SignalAndWait(expired(), e0.Set, e1)
	expect(t, "to what is unset", err, context.Canceled)
	expectWait(t, "it was signaled", 0, e0)
}

func signalAndWaitOthers(t *testing.T, ns *filemaptest.Namespace) {
	s0, s1 := newSemaphore(t, ns, "0", 0, 1), newSemaphore(t, ns, "1", 1, 1)
	release := func() error { _, err := s0.Release(1); return err }
	_, err := waitable.SignalAndWait(expired(), release, s1)
	succeed(t, "the first", err)
	_, err = s1.Release(1)
	succeed(t, "Release", err)
	_, err = waitable.SignalAndWait(expired(), release, s1)
	expect(t, "the second: s0 is full", err, object.ErrLimit)
	var unowned waitable.Hold
	_, err = waitable.SignalAndWait(expired(), unowned.Unlock, s1)
	expect(t, "an unowned mutex", err, object.ErrNotOwner)
	expectWait(t, "s1 is not taken", 0, s1)
}

func waitDuplicate(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", false, true)
	same, err := waitable.OpenEvent(ns.Name("e"))
	keepOpen(t, same, err)
	_, err = waitable.All(expired(), e, same)
	expect(t, "All", err, fs.ErrInvalid)
	expectWait(t, "Any", 0, e, same)
}

func eventStateDies(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", true, true)
	succeed(t, "Close", e.Close())
	expectWait(t, "the new one", -1, newEvent(t, ns, "e", true, false))
}

// maker makes and opens objects of a kind, which are closed when the test ends.
type maker struct {
	create, open func(t *testing.T, name string) error
}

// made returns an error, or closes the object at the end.
func made[T interface{ Close() error }](t *testing.T, o T, err error) error {
	if err == nil {
		t.Cleanup(func() { o.Close() })
	}
	return err
}

var makers = map[object.Kind]maker{
	object.Mapping: {
		func(t *testing.T, name string) error { o, err := filemap.Create(name, 1, nil); return made(t, o, err) },
		func(t *testing.T, name string) error { o, err := filemap.Open(name, nil); return made(t, o, err) },
	},
	object.Mutex: {
		func(t *testing.T, name string) error {
			o, err := waitable.CreateMutex(name, nil)
			return made(t, o, err)
		},
		func(t *testing.T, name string) error { o, err := waitable.OpenMutex(name); return made(t, o, err) },
	},
	object.Semaphore: {
		func(t *testing.T, name string) error {
			o, err := waitable.CreateSemaphore(name, 1, 1, nil)
			return made(t, o, err)
		},
		func(t *testing.T, name string) error { o, err := waitable.OpenSemaphore(name); return made(t, o, err) },
	},
	object.Event: {
		func(t *testing.T, name string) error {
			o, err := waitable.CreateEvent(name, nil)
			return made(t, o, err)
		},
		func(t *testing.T, name string) error { o, err := waitable.OpenEvent(name); return made(t, o, err) },
	},
	object.Timer: {
		func(t *testing.T, name string) error {
			o, err := waitable.CreateTimer(name, nil)
			return made(t, o, err)
		},
		func(t *testing.T, name string) error { o, err := waitable.OpenTimer(name); return made(t, o, err) },
	},
}

func wrongKind(is, as object.Kind) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		succeed(t, "creating", makers[is].create(t, ns.Name("x")))
		expect(t, "create", makers[as].create(t, ns.Name("x")), object.ErrWrongKind)
		expect(t, "open", makers[as].open(t, ns.Name("x")), object.ErrWrongKind)
	})
}

func openEmpty(kind object.Kind) ruling {
	return shown(func(t *testing.T, _ *filemaptest.Namespace) {
		expect(t, "open", makers[kind].open(t, ""), object.ErrInvalidName)
	})
}

func backslash(kind object.Kind) ruling {
	return shown(func(t *testing.T, _ *filemaptest.Namespace) {
		expect(t, "create", makers[kind].create(t, `Local\a\b`), object.ErrInvalidName)
		expect(t, "open", makers[kind].open(t, `Local\a\b`), object.ErrInvalidName)
		expect(t, "create without prefix", makers[kind].create(t, `a\b`), object.ErrInvalidName)
	})
}

func localIsDefault(kind object.Kind) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		succeed(t, "create", makers[kind].create(t, `Local\`+ns.Name("x")))
		succeed(t, "open", makers[kind].open(t, ns.Name("x")))
	})
}

func existing(kind object.Kind) ruling {
	return shown(func(t *testing.T, ns *filemaptest.Namespace) {
		succeed(t, "create", makers[kind].create(t, ns.Name("x")))
		expect(t, "create again", makers[kind].create(t, ns.Name("x")), fs.ErrExist)
	})
}

func diesWithLastHandle(t *testing.T, ns *filemaptest.Namespace) {
	s := newSemaphore(t, ns, "s", 1, 1)
	succeed(t, "Close", s.Close())
	_, err := waitable.OpenSemaphore(ns.Name("s"))
	expect(t, "open", err, fs.ErrNotExist)
}

func unnamedEvents(t *testing.T, _ *filemaptest.Namespace) {
	succeed(t, "create", makers[object.Event].create(t, ""))
	succeed(t, "create again", makers[object.Event].create(t, ""))
}

func eventFromPeer(t *testing.T, ns *filemaptest.Namespace) {
	e := newEvent(t, ns, "e", false, false)
	p := startPeer(t)
	waiter := waitable.Chan(patience(t), e)
	_, err := p.do(request{Op: "set", Name: ns.Name("e")})
	succeed(t, "a peer sets", err)
	succeed(t, "Wait", (<-waiter).Err)
}

func mutexFromPeer(t *testing.T, ns *filemaptest.Namespace) {
	m := newMutex(t, ns, "m")
	p := startPeer(t)
	_, err := p.do(request{Op: "lock", Name: ns.Name("m")})
	succeed(t, "a peer locks", err)
	expectWait(t, "while it lives", -1, m)
	p.exit()
	hold, err := m.Lock(patience(t))
	if err != nil || !hold.Abandoned() {
		t.Errorf("abandoned %v, %v", hold.Abandoned(), err)
	}
}
