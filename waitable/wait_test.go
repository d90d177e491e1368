package waitable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func TestAnyTakesTheFirst(t *testing.T) {
	ns := filemaptest.New(t)
	s, e := semaphore(t, ns.Name("s"), 0, 1), autoEvent(t, ns.Name("e"))
	m, timer := mutex(t, ns.Name("m")), autoTimer(t, ns.Name("t"))
	hold := lock(t, m)
	objects := []waitable.Object{s, e, m, timer}
	_, err := waitable.Any(now(), objects...)
	expect(t, "Any of none", err, errNow)
	signals := []func() error{
		func() error { _, err := s.Release(1); return err },
		e.Set,
		hold.Unlock,
		func() error { return timer.SetAfter(time.Millisecond, 0) },
	}
	for i, signal := range signals {
		result := make(chan waitable.Outcome, 1)
		go func() {
			r, err := waitable.Any(patient(t), objects...)
			result <- waitable.Outcome{Result: r, Err: err}
		}()
		succeed(t, "the signal", signal())
		got := receive(t, "Any", result)
		expectIndex(t, "Any", got.Result, got.Err, i)
		_, err := waitable.Any(now(), s, e, timer)
		expect(t, "Any of none", err, errNow)
	}
}

func TestAnyPrefersTheLowestIndex(t *testing.T) {
	ns := filemaptest.New(t)
	a, b := autoEvent(t, ns.Name("a")), autoEvent(t, ns.Name("b"))
	succeed(t, "Set", a.Set())
	succeed(t, "Set", b.Set())
	for _, want := range []int{0, 1} {
		r, err := waitable.Any(now(), a, b)
		expectIndex(t, "Any", r, err, want)
	}
	// Handles that have taken nothing yet.
	fresh := []waitable.Object{mutex(t, ns.Name("c")), mutex(t, ns.Name("d")), autoEvent(t, ns.Name("e"))}
	for want := range 2 {
		r, err := waitable.Any(now(), fresh...)
		expectIndex(t, "Any of new handles", r, err, want)
	}
}

func TestAnyTellsOfAbandonedMutexes(t *testing.T) {
	ns := filemaptest.New(t)
	m, other := mutex(t, ns.Name("m")), mutex(t, ns.Name("m"))
	lock(t, other)
	succeed(t, "Close", other.Close())
	r, err := waitable.Any(patient(t), autoEvent(t, ns.Name("e")), m)
	expectIndex(t, "Any", r, err, 1)
	if !r.Abandoned() || !r.Holds[1].Abandoned() {
		t.Error("the mutex is not abandoned")
	}
	unlock(t, r.Holds[1])
}

// TestManyAtOnce waits for more objects than Windows takes in one call.
func TestManyAtOnce(t *testing.T) {
	ns := filemaptest.New(t)
	const n = 150
	var objects []waitable.Object
	var events []*waitable.Event
	for i := range n {
		e := autoEvent(t, ns.Name(fmt.Sprint("e", i)))
		events, objects = append(events, e), append(objects, e)
	}
	for _, i := range []int{n - 1, 0, 64, 100} {
		got := inBackground(func() error {
			r, err := waitable.Any(patient(t), objects...)
			if err == nil && r.Index != i {
				t.Errorf("took %d, want %d", r.Index, i)
			}
			return err
		})
		succeed(t, "Set", events[i].Set())
		succeed(t, "Any", receive(t, "Any", got))
	}
	if runtime.GOOS == "windows" {
		_, err := waitable.All(now(), objects...)
		expect(t, "All of more than 64", err, errors.ErrUnsupported)
		return
	}
	all := inBackground(func() error {
		_, err := waitable.All(patient(t), objects...)
		return err
	})
	for _, e := range events {
		succeed(t, "Set", e.Set())
	}
	succeed(t, "All", receive(t, "All", all))
	for _, e := range events {
		expectTaken(t, "TryWait of what All took", e.TryWait, false)
	}
}

func TestAllTakesAllOrNone(t *testing.T) {
	ns := filemaptest.New(t)
	s, e, m := semaphore(t, ns.Name("s"), 1, 2), autoEvent(t, ns.Name("e")), mutex(t, ns.Name("m"))
	_, err := waitable.All(now(), s, m, e)
	expect(t, "All of some", err, errNow)
	unlock(t, lock(t, m))
	expectPermits(t, s, 1)
	got := inBackground(func() error {
		r, err := waitable.All(patient(t), s, m, e)
		if err == nil {
			err = r.Holds[1].Unlock()
		}
		return err
	})
	settle()
	succeed(t, "Set", e.Set())
	_, err = s.Release(1)
	succeed(t, "Release", err)
	succeed(t, "All", receive(t, "All", got))
	expectTaken(t, "TryWait", e.TryWait, false)
	expectPermits(t, s, 0)
}

func TestNoObjectTwice(t *testing.T) {
	name := filemaptest.New(t).Name("e")
	e, same := autoEvent(t, name), autoEvent(t, name)
	for _, objects := range [][]waitable.Object{{e, e}, {e, same}} {
		_, err := waitable.All(now(), objects...)
		expect(t, "All", err, fs.ErrInvalid)
	}
}

// TestNamelessObjects takes several objects that have no name, by which they
// could be told apart.
func TestNamelessObjects(t *testing.T) {
	named, one, other := autoEvent(t, filemaptest.New(t).Name("e")), autoEvent(t, ""), autoEvent(t, "")
	for _, e := range []*waitable.Event{named, one, other} {
		succeed(t, "Set", e.Set())
	}
	_, err := waitable.All(now(), one, other, named)
	succeed(t, "All", err)
	for _, e := range []*waitable.Event{named, one, other} {
		expectTaken(t, "TryWait of what All took", e.TryWait, false)
	}
	_, err = waitable.All(now(), one, named, one)
	expect(t, "All of one twice", err, fs.ErrInvalid)
}

func TestNoObjects(t *testing.T) {
	_, err := waitable.Any(patient(t))
	expect(t, "Any", err, fs.ErrInvalid)
	_, err = waitable.All(patient(t))
	expect(t, "All", err, fs.ErrInvalid)
}

// TestNameIsAwaited waits for a mapping that is yet to come, and for an event.
func TestNameIsAwaited(t *testing.T) {
	ns := filemaptest.New(t)
	name, stop := ns.Name("mapping"), autoEvent(t, ns.Name("stop"))
	got := inBackground(func() error {
		r, err := waitable.Any(patient(t), stop, waitable.Name(name))
		if err == nil && r.Index != 1 {
			t.Errorf("took %d", r.Index)
		}
		return err
	})
	settle()
	m, err := filemap.Create(name, 4096, nil)
	closeLater(t, m, err)
	succeed(t, "Any", receive(t, "Any", got))
}

func TestChan(t *testing.T) {
	ns := filemaptest.New(t)
	e := autoEvent(t, ns.Name("e"))
	outcomes := waitable.Chan(patient(t), e)
	select {
	case got := <-outcomes:
		t.Fatalf("an outcome before the signal: %+v", got)
	default:
	}
	succeed(t, "Set", e.Set())
	got := receive(t, "Chan", outcomes)
	expectIndex(t, "Chan", got.Result, got.Err, 0)
	got = receive(t, "Chan", waitable.Chan(now(), e))
	expect(t, "Chan", got.Err, errNow)
}

func TestSignalAndWait(t *testing.T) {
	ns := filemaptest.New(t)
	ask, answer := autoEvent(t, ns.Name("ask")), autoEvent(t, ns.Name("answer"))
	server := inBackground(func() error {
		if err := ask.Wait(patient(t)); err != nil {
			return err
		}
		return answer.Set()
	})
	_, err := waitable.SignalAndWait(patient(t), ask.Set, answer)
	succeed(t, "SignalAndWait", err)
	succeed(t, "the other side", receive(t, "the other side", server))
}

// TestCancelledWait takes nothing, and says why it ended.
func TestCancelledWait(t *testing.T) {
	ns := filemaptest.New(t)
	e := autoEvent(t, ns.Name("e"))
	ctx, cancel := context.WithCancelCause(context.Background())
	got := inBackground(func() error { return e.Wait(ctx) })
	settle()
	cancel(errNow)
	expect(t, "Wait", receive(t, "Wait", got), errNow)
	ctx, stop := context.WithTimeout(context.Background(), time.Millisecond)
	defer stop()
	expect(t, "Wait", e.Wait(ctx), context.DeadlineExceeded)
	succeed(t, "Set", e.Set())
	succeed(t, "Wait of what is signaled, in no time", e.Wait(now()))
}

// TestContextOfManyWaits ends contexts that have served several waits: what is
// kept from one wait to the next ends that of its context, and no other.
func TestContextOfManyWaits(t *testing.T) {
	ns := filemaptest.New(t)
	e, other := autoEvent(t, ns.Name("e")), autoEvent(t, ns.Name("other"))
	for range 3 {
		ctx, cancel := context.WithCancelCause(context.Background())
		for range 3 {
			got := inBackground(func() error { return e.Wait(ctx) })
			settle()
			succeed(t, "Set", e.Set())
			succeed(t, "Wait", receive(t, "Wait", got))
		}
		got := inBackground(func() error { return e.Wait(ctx) })
		rest := inBackground(func() error { return other.Wait(patient(t)) })
		settle()
		cancel(errNow)
		expect(t, "Wait", receive(t, "Wait", got), errNow)
		settle()
		succeed(t, "Set", other.Set())
		succeed(t, "Wait with another context", receive(t, "Wait", rest))
	}
}

// TestOneNamespace opens each kind's name as each other kind.
func TestOneNamespace(t *testing.T) {
	ns := filemaptest.New(t)
	names := map[object.Kind]string{}
	for _, kind := range []object.Kind{object.Mapping, object.Mutex, object.Semaphore, object.Event, object.Timer} {
		names[kind] = ns.Name(kind.String())
	}
	m, err := filemap.Create(names[object.Mapping], 4096, nil)
	closeLater(t, m, err)
	mutex(t, names[object.Mutex])
	semaphore(t, names[object.Semaphore], 1, 1)
	autoEvent(t, names[object.Event])
	autoTimer(t, names[object.Timer])
	opens := map[object.Kind][2]func(string) error{
		object.Mapping: {
			func(n string) error { _, err := filemap.Open(n, nil); return err },
			func(n string) error { _, err := filemap.Create(n, 4096, nil); return err },
		},
		object.Mutex: {
			func(n string) error { _, err := waitable.OpenMutex(n); return err },
			func(n string) error { _, err := waitable.CreateMutex(n, nil); return err },
		},
		object.Semaphore: {
			func(n string) error { _, err := waitable.OpenSemaphore(n); return err },
			func(n string) error { _, err := waitable.CreateSemaphore(n, 1, 1, nil); return err },
		},
		object.Event: {
			func(n string) error { _, err := waitable.OpenEvent(n); return err },
			func(n string) error { _, err := waitable.CreateEvent(n, nil); return err },
		},
		object.Timer: {
			func(n string) error { _, err := waitable.OpenTimer(n); return err },
			func(n string) error { _, err := waitable.CreateTimer(n, nil); return err },
		},
	}
	for kind, name := range names {
		for as, open := range opens {
			if as == kind {
				continue
			}
			what := fmt.Sprintf("%v as %v", kind, as)
			expect(t, "open "+what, open[0](name), object.ErrWrongKind)
			expect(t, "create "+what, open[1](name), object.ErrWrongKind)
		}
	}
}

func TestPOSIXNamesAreForMappings(t *testing.T) {
	_, err := waitable.CreateEvent("/event", nil)
	expect(t, "CreateEvent", err, object.ErrInvalidName)
}

// TestNameBeforeTheEnd: a name that came before its wait's context ended is
// found, however little before.
func TestNameBeforeTheEnd(t *testing.T) {
	ns := filemaptest.New(t)
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		result := waitable.Chan(ctx, waitable.Name(ns.Name("e")), autoEvent(t, ns.Name("never")))
		time.Sleep(time.Millisecond)
		e, err := waitable.CreateEvent(ns.Name("e"), nil)
		cancel()
		succeed(t, "CreateEvent", err)
		got := <-result
		expectIndex(t, "Any", got.Result, got.Err, 0)
		succeed(t, "Close", e.Close())
	}
}
