package waitable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// check keeps the examples short. A program handles its errors.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A mutex guards what a mapping holds: all processes run these same lines.
func Example_guardedMapping() {
	mapping, _, err := filemap.OpenOrCreate(`Local\Example-Counter`, 8, nil)
	check(err)
	defer mapping.Close()
	view, err := mapping.View(0, 0)
	check(err)
	defer view.Close()
	guard, _, err := waitable.OpenOrCreateMutex(`Local\Example-Guard`, nil)
	check(err)
	defer guard.Close()

	hold, err := guard.Lock(context.Background())
	check(err)
	if hold.Abandoned() {
		fmt.Println("its last holder died: the counter may be wrong")
	}
	n, err := filemap.Load[uint64](view, 0)
	check(err)
	check(filemap.Store(view, 0, n+1))
	check(hold.Unlock())
	fmt.Println(n + 1)
	// Output: 1
}

// A reader sleeps until the writer says that there is something new.
func Example_eventDrivenReader() {
	mapping, err := filemap.Create(`Local\Example-News`, 16, nil)
	check(err)
	defer mapping.Close()
	view, err := mapping.View(0, 0)
	check(err)
	defer view.Close()
	fresh, err := waitable.CreateEvent(`Local\Example-Fresh`, nil)
	check(err)
	defer fresh.Close()

	go func() { // in most programs, another process, with handles of its own
		_, err := view.WriteAt([]byte("hello"), 0)
		check(err)
		check(fresh.Set())
	}()

	check(fresh.Wait(context.Background()))
	text := make([]byte, 5)
	_, err = view.ReadAt(text, 0)
	check(err)
	fmt.Printf("%s\n", text)
	// Output: hello
}

// All processes together run no more jobs than there are slots.
func Example_jobSlots() {
	slots, _, err := waitable.OpenOrCreateSemaphore(`Local\Example-Slots`, 2, 2, nil)
	check(err)
	defer slots.Close()
	for range 2 {
		check(slots.Acquire(context.Background()))
	}
	free, err := slots.TryAcquire()
	check(err)
	fmt.Println("a slot for a third job:", free)

	_, err = slots.Release(1) // the first job is done
	check(err)
	free, err = slots.TryAcquire()
	check(err)
	fmt.Println("and now:", free)
	// Output:
	// a slot for a third job: false
	// and now: true
}

// A timer wakes who waits for it, though who set it may be gone.
func Example_wakeAtATime() {
	at := time.Now().Add(10 * time.Millisecond)
	alarm, err := waitable.CreateTimer(`Local\Example-Alarm`, &waitable.TimerOptions{At: at})
	check(err)
	defer alarm.Close()
	check(alarm.Wait(context.Background()))
	fmt.Println("awake")
	// Output: awake
}

func ExampleMutex_Lock() {
	m, err := waitable.CreateMutex(`Local\Example-Mutex`, nil)
	check(err)
	defer m.Close()
	hold, err := m.Lock(context.Background())
	check(err)

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = m.Lock(ctx) // a mutex belongs to its hold, so this one waits
	fmt.Println("in time:", !errors.Is(err, context.DeadlineExceeded))

	check(hold.Unlock())
	fmt.Println("once more:", errors.Is(hold.Unlock(), object.ErrNotOwner))
	// Output:
	// in time: false
	// once more: true
}

func ExampleMutex_TryLock() {
	m, err := waitable.CreateMutex(`Local\Example-TryLock`, nil)
	check(err)
	defer m.Close()
	hold, locked, err := m.TryLock()
	check(err)
	fmt.Println(locked)
	_, locked, err = m.TryLock()
	check(err)
	fmt.Println(locked)
	check(hold.Unlock())
	// Output:
	// true
	// false
}

// What the mutex protects is made ready before any other process can lock it.
func ExampleCreateLockedMutex() {
	m, hold, err := waitable.CreateLockedMutex(`Local\Example-Locked`, nil)
	check(err)
	defer m.Close()

	other, err := waitable.OpenMutex(`Local\Example-Locked`)
	check(err)
	defer other.Close()
	_, locked, err := other.TryLock()
	check(err)
	fmt.Println("at first:", locked)

	check(hold.Unlock())
	_, locked, err = other.TryLock()
	check(err)
	fmt.Println("then:", locked)
	// Output:
	// at first: false
	// then: true
}

// Names lead to live objects only, and to one of one kind.
func ExampleOpenMutex() {
	_, err := waitable.OpenMutex(`Local\Example-Open`)
	fmt.Println("no such name:", errors.Is(err, fs.ErrNotExist))

	e, err := waitable.CreateEvent(`Local\Example-Open`, nil)
	check(err)
	defer e.Close()
	_, err = waitable.OpenMutex(`Local\Example-Open`)
	fmt.Println("no mutex:", errors.Is(err, object.ErrWrongKind))
	// Output:
	// no such name: true
	// no mutex: true
}

// Every user of the machine may lock this one.
func ExampleMutexOptions() {
	m, err := waitable.CreateMutex(`Global\Example-Shared`, &waitable.MutexOptions{
		Security: &waitable.Security{Everybody: object.ShareAll},
	})
	check(err)
	defer m.Close()
	fmt.Println(m.Kind(), m.Name())
	// Output: mutex Global\Example-Shared
}

// Who locks a mutex after its holder died makes sure of what it guards.
func ExampleHold_Abandoned() {
	m, err := waitable.CreateMutex(`Local\Example-Abandoned`, nil)
	check(err)
	defer m.Close()
	careless, err := waitable.OpenMutex(`Local\Example-Abandoned`)
	check(err)
	_, err = careless.Lock(context.Background())
	check(err)
	check(careless.Close()) // or its process dies

	for range 2 {
		hold, err := m.Lock(context.Background())
		check(err)
		fmt.Println(hold.Abandoned())
		check(hold.Unlock())
	}
	// Output:
	// true
	// false
}

// A function that needs the lock can be called with it, and without.
func ExampleHold_Relock() {
	m, err := waitable.CreateMutex(`Local\Example-Relock`, nil)
	check(err)
	defer m.Close()
	hold, err := m.Lock(context.Background())
	check(err)
	check(hold.Relock())
	check(hold.Unlock())

	_, free, err := m.TryLock()
	check(err)
	fmt.Println("free after one Unlock:", free)
	check(hold.Unlock())
	again, free, err := m.TryLock()
	check(err)
	fmt.Println("after two:", free)
	check(again.Unlock())
	// Output:
	// free after one Unlock: false
	// after two: true
}

// Nobody can release more permits than there is room for.
func ExampleSemaphore_Release() {
	s, err := waitable.CreateSemaphore(`Local\Example-Semaphore`, 0, 3, nil)
	check(err)
	defer s.Close()
	previous, err := s.Release(2)
	check(err)
	fmt.Println("before:", previous)
	_, err = s.Release(2)
	fmt.Println("too many:", errors.Is(err, object.ErrLimit))
	// Output:
	// before: 0
	// too many: true
}

// The permits of who dies come back by themselves on Linux.
func ExampleSemaphoreOptions() {
	opts := &waitable.SemaphoreOptions{Tracked: true}
	s, err := waitable.CreateSemaphore(`Local\Example-Tracked`, 1, 1, opts)
	untracked := errors.Is(err, errors.ErrUnsupported)
	if untracked {
		s, err = waitable.CreateSemaphore(`Local\Example-Tracked`, 1, 1, nil)
	}
	check(err)
	defer s.Close()

	worker, err := waitable.OpenSemaphore(`Local\Example-Tracked`)
	check(err)
	check(worker.Acquire(context.Background()))
	if untracked { // on Windows nobody else does
		_, err = worker.Release(1)
		check(err)
	}
	check(worker.Close()) // or its process dies

	check(s.Acquire(context.Background()))
	fmt.Println("the permit is back")
	// Output: the permit is back
}

// A manual-reset event is a gate: it lets all through until it is reset.
func ExampleEventOptions() {
	gate, err := waitable.CreateEvent(`Local\Example-Gate`, &waitable.EventOptions{
		ManualReset: true,
		Signaled:    true,
	})
	check(err)
	defer gate.Close()
	check(gate.Wait(context.Background()))
	check(gate.Wait(context.Background()))
	check(gate.Reset())
	open, err := gate.TryWait()
	check(err)
	fmt.Println(open)
	// Output: false
}

// Nobody waits when the pulse comes, so it is lost.
func ExampleEvent_Pulse() {
	e, err := waitable.CreateEvent(`Local\Example-Pulse`, nil)
	check(err)
	defer e.Close()
	check(e.Pulse())
	signaled, err := e.TryWait()
	check(err)
	fmt.Println(signaled)
	// Output: false
}

// Each process that opens the timer finds it set.
func ExampleTimerOptions() {
	const name = `Local\Example-Heartbeat`
	t, err := waitable.CreateTimer(name, &waitable.TimerOptions{Period: 5 * time.Millisecond})
	check(err)
	defer t.Close()

	opened, err := waitable.OpenTimer(name)
	check(err)
	defer opened.Close()
	for i := range 2 {
		check(opened.Wait(context.Background()))
		fmt.Println("beat", i)
	}
	// Output:
	// beat 0
	// beat 1
}

func ExampleTimer_SetAfter() {
	t, err := waitable.CreateTimer(`Local\Example-Periodic`, nil)
	check(err)
	defer t.Close()
	check(t.SetAfter(5*time.Millisecond, time.Millisecond))
	for i := range 3 {
		check(t.Wait(context.Background()))
		fmt.Println("signal", i)
	}
	// Output:
	// signal 0
	// signal 1
	// signal 2
}

func ExampleTimer_Cancel() {
	t, err := waitable.CreateTimer(`Local\Example-Cancel`, nil)
	check(err)
	defer t.Close()
	check(t.SetAfter(time.Hour, 0))
	check(t.Cancel())
	due, err := t.TryWait()
	check(err)
	fmt.Println(due)
	// Output: false
}

// A worker waits for work, for the end, and no longer than its context.
func ExampleAny() {
	work, err := waitable.CreateSemaphore(`Local\Example-Work`, 0, 100, nil)
	check(err)
	defer work.Close()
	quit, err := waitable.CreateEvent(`Local\Example-Quit`, nil)
	check(err)
	defer quit.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err = waitable.Any(ctx, quit, work)
	fmt.Println("nothing yet:", errors.Is(err, context.DeadlineExceeded))

	_, err = work.Release(1)
	check(err)
	result, err := waitable.Any(context.Background(), quit, work)
	check(err)
	fmt.Println("index", result.Index)
	// Output:
	// nothing yet: true
	// index 1
}

// Who needs several things takes all of them, or waits with none.
func ExampleAll() {
	left, err := waitable.CreateMutex(`Local\Example-Left`, nil)
	check(err)
	defer left.Close()
	right, err := waitable.CreateMutex(`Local\Example-Right`, nil)
	check(err)
	defer right.Close()
	result, err := waitable.All(context.Background(), left, right)
	check(err)
	for _, hold := range result.Holds {
		check(hold.Unlock())
	}
	fmt.Println(len(result.Holds), result.Abandoned())
	// Output: 2 false
}

func ExampleChan() {
	e, err := waitable.CreateEvent(`Local\Example-Chan`, nil)
	check(err)
	defer e.Close()
	check(e.Set())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	select {
	case outcome := <-waitable.Chan(ctx, e):
		check(outcome.Err)
		fmt.Println("signaled")
	case <-time.After(time.Minute):
		fmt.Println("nothing for a minute")
	}
	// Output: signaled
}

// When another case is chosen, the wait is ended, and what it may have taken
// in that very moment is given back.
func ExampleChan_otherCase() {
	m, err := waitable.CreateMutex(`Local\Example-Busy`, nil)
	check(err)
	defer m.Close()
	busy, err := m.Lock(context.Background())
	check(err)
	jobs := make(chan string, 1)
	jobs <- "a job"

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	locked := waitable.Chan(ctx, m)
	select {
	case job := <-jobs:
		cancel()
		if outcome := <-locked; outcome.Err == nil {
			check(outcome.Holds[0].Unlock())
		}
		fmt.Println(job)
	case <-locked:
		fmt.Println("locked")
	}
	check(busy.Unlock())
	// Output: a job
}

// A client asks, and waits for the answer.
func ExampleSignalAndWait() {
	ask, err := waitable.CreateEvent(`Local\Example-Ask`, nil)
	check(err)
	defer ask.Close()
	answer, err := waitable.CreateEvent(`Local\Example-Answer`, nil)
	check(err)
	defer answer.Close()
	go func() { // in most programs, another process
		check(ask.Wait(context.Background()))
		fmt.Println("asked")
		check(answer.Set())
	}()

	_, err = waitable.SignalAndWait(context.Background(), ask.Set, answer)
	check(err)
	fmt.Println("answered")
	// Output:
	// asked
	// answered
}

// A client waits for its server's mapping, or until it is told to give up.
func ExampleName() {
	quit, err := waitable.CreateEvent(`Local\Example-GiveUp`, nil)
	check(err)
	defer quit.Close()
	created := make(chan *filemap.Mapping, 1)
	go func() { // in most programs, another process
		m, err := filemap.Create(`Local\Example-Server`, 4096, nil)
		check(err)
		created <- m
	}()

	server := waitable.Name(`Local\Example-Server`)
	result, err := waitable.Any(context.Background(), quit, server)
	check(err)
	defer (<-created).Close()
	fmt.Println("index", result.Index)
	// Output: index 1
}

func ExampleSingle() {
	instance, err := waitable.Single(`Local\Example-Program`, nil)
	check(err)
	_, err = waitable.Single(`Local\Example-Program`, nil) // in most cases, another process
	fmt.Println("running already:", errors.Is(err, fs.ErrExist))

	check(instance.Close())
	instance, err = waitable.Single(`Local\Example-Program`, nil)
	check(err)
	defer instance.Close()
	fmt.Println("the only one")
	// Output:
	// running already: true
	// the only one
}

// A command that runs under a lock, and never without it.
func ExampleStart() {
	lock, _, err := waitable.OpenOrCreateMutex(`Local\Example-Deploy`, nil)
	check(err)
	defer lock.Close()
	hold, err := lock.Lock(context.Background())
	check(err)
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	check(waitable.Start(lock, cmd))
	check(cmd.Wait())
	check(hold.Unlock())
	fmt.Println("deployed")
	// Output: deployed
}

// A service that keeps a lock for long asks now and then whether another
// program has removed its name.
func Example_check() {
	lock, _, err := waitable.OpenOrCreateMutex(`Local\Example-Check`, nil)
	check(err)
	defer lock.Close()
	if err := lock.Check(); errors.Is(err, object.ErrNameLost) {
		fmt.Println("others no longer find the lock")
	}
	fmt.Println("the name is intact")
	// Output: the name is intact
}
