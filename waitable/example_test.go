package waitable_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/waitable"
)

// A mutex guards what a mapping holds. In other processes the same lines do the
// same.
func Example_guardedMapping() {
	mapping, _, err := filemap.OpenOrCreate(`Local\Example-Counter`, 8, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	view, err := mapping.View(0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer view.Close()
	guard, _, err := waitable.OpenOrCreateMutex(`Local\Example-Guard`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer guard.Close()

	hold, err := guard.Lock(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	if hold.Abandoned() {
		fmt.Println("its last holder died: the counter may be wrong")
	}
	n, _ := filemap.Load[uint64](view, 0)
	_ = filemap.Store(view, 0, n+1)
	n, _ = filemap.Load[uint64](view, 0)
	fmt.Println(n, hold.Unlock())
	// Output: 1 <nil>
}

// A reader sleeps until the writer says that there is something new.
func Example_eventDrivenReader() {
	mapping, err := filemap.Create(`Local\Example-News`, 16, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	fresh, err := waitable.CreateEvent(`Local\Example-Fresh`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fresh.Close()

	go func() { // the writer, in a process of its own
		view, err := mapping.View(0, 0)
		if err != nil {
			return
		}
		defer view.Close()
		_, _ = view.WriteAt([]byte("hello"), 0)
		_ = fresh.Set()
	}()

	if err := fresh.Wait(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	view, err := mapping.View(0, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer view.Close()
	text := make([]byte, 5)
	_, err = view.ReadAt(text, 0)
	fmt.Println(string(text), err)
	// Output: hello <nil>
}

// All processes of the machine together run no more jobs than there are slots.
func Example_jobSlots() {
	slots, _, err := waitable.OpenOrCreateSemaphore(`Local\Example-Slots`, 2, 2, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer slots.Close()
	for range 2 {
		if err := slots.Acquire(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
	}
	free, err := slots.TryAcquire()
	fmt.Println("a third:", free, err)
	previous, err := slots.Release(2)
	fmt.Println("free before:", previous, err)
	// Output:
	// a third: false <nil>
	// free before: 0 <nil>
}

// A timer wakes who waits for it, though who set it may be gone.
func Example_wakeAtATime() {
	timer, err := waitable.CreateTimer(`Local\Example-Alarm`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer timer.Close()
	_ = timer.SetAt(time.Now().Add(10*time.Millisecond), 0)
	fmt.Println("at a time:", timer.Wait(context.Background()))
	_ = timer.SetAfter(time.Millisecond, time.Millisecond)
	fmt.Println("periodic:", timer.Wait(context.Background()), timer.Wait(context.Background()))
	_ = timer.Cancel()
	// Output:
	// at a time: <nil>
	// periodic: <nil> <nil>
}

func ExampleAny() {
	work, _ := waitable.CreateSemaphore(`Local\Example-Work`, 0, 100, nil)
	defer work.Close()
	quit, _ := waitable.CreateEvent(`Local\Example-Quit`, &waitable.EventOptions{ManualReset: true})
	defer quit.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := waitable.Any(ctx, work, quit)
	fmt.Println("nothing yet:", errors.Is(err, context.DeadlineExceeded))

	_ = quit.Set()
	result, err := waitable.Any(context.Background(), work, quit)
	fmt.Println("index", result.Index, err)
	// Output:
	// nothing yet: true
	// index 1 <nil>
}

func ExampleChan() {
	e, _ := waitable.CreateEvent(`Local\Example-Select`, nil)
	defer e.Close()
	_ = e.Set()
	select {
	case outcome := <-waitable.Chan(context.Background(), e):
		fmt.Println("signaled", outcome.Err)
	case <-time.After(time.Minute):
		fmt.Println("nothing for a minute")
	}
	// Output: signaled <nil>
}

// Who needs several things takes all of them, or waits with none.
func ExampleAll() {
	left, _ := waitable.CreateMutex(`Local\Example-Left`, nil)
	defer left.Close()
	right, _ := waitable.CreateMutex(`Local\Example-Right`, nil)
	defer right.Close()
	result, err := waitable.All(context.Background(), left, right)
	fmt.Println(len(result.Holds), result.Abandoned(), err)
	for _, hold := range result.Holds {
		_ = hold.Unlock()
	}
	// Output: 2 false <nil>
}

func ExampleSignalAndWait() {
	ask, _ := waitable.CreateEvent(`Local\Example-Ask`, nil)
	defer ask.Close()
	answer, _ := waitable.CreateEvent(`Local\Example-Answer`, nil)
	defer answer.Close()
	go func() {
		if ask.Wait(context.Background()) == nil {
			_ = answer.Set()
		}
	}()
	_, err := waitable.SignalAndWait(context.Background(), ask.Set, answer)
	fmt.Println(err)
	// Output: <nil>
}

// A name can be waited for, too: here, for a mapping that is yet to be made, or
// for a signal to give up.
func ExampleName() {
	quit, _ := waitable.CreateEvent(`Local\Example-GiveUp`, nil)
	defer quit.Close()
	mapping, _ := filemap.Create(`Local\Example-Awaited`, 1, nil)
	defer mapping.Close()
	result, err := waitable.Any(context.Background(), quit, waitable.Name(`Local\Example-Awaited`))
	fmt.Println(result.Index, err)
	// Output: 1 <nil>
}

func ExampleSingle() {
	instance, err := waitable.Single(`Local\Example-Program`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer instance.Close()
	_, err = waitable.Single(`Local\Example-Program`, nil)
	fmt.Println("a second one:", errors.Is(err, fs.ErrExist))
	// Output: a second one: true
}

func ExampleHold_Relock() {
	m, _ := waitable.CreateMutex(`Local\Example-Recursive`, nil)
	defer m.Close()
	hold, locked, err := m.TryLock()
	fmt.Println(locked, err)
	fmt.Println(hold.Relock(), hold.Unlock(), hold.Unlock())
	// Output:
	// true <nil>
	// <nil> <nil> <nil>
}

func ExampleHold_Abandoned() {
	m, _ := waitable.CreateMutex(`Local\Example-Abandoned`, nil)
	defer m.Close()
	careless, _ := waitable.OpenMutex(`Local\Example-Abandoned`)
	_, _ = careless.Lock(context.Background())
	_ = careless.Close() // or its process dies
	hold, err := m.Lock(context.Background())
	fmt.Println(hold.Abandoned(), err)
	_ = hold.Unlock()
	// Output: true <nil>
}

func ExampleEvent_Pulse() {
	e, _ := waitable.CreateEvent(`Local\Example-Pulse`, &waitable.EventOptions{ManualReset: true, Signaled: true})
	defer e.Close()
	fmt.Println(e.TryWait())
	_ = e.Pulse() // those who wait go on; nobody does, and the signal is gone
	fmt.Println(e.TryWait())
	_ = e.Set()
	_ = e.Reset()
	fmt.Println(e.TryWait())
	// Output:
	// true <nil>
	// false <nil>
	// false <nil>
}

// The permits of processes that died come back.
func ExampleSemaphoreOptions() {
	s, err := waitable.CreateSemaphore(`Local\Example-Tracked`, 1, 1,
		&waitable.SemaphoreOptions{Tracked: true})
	if errors.Is(err, errors.ErrUnsupported) { // Windows has no such thing
		s, err = waitable.CreateSemaphore(`Local\Example-Tracked`, 1, 1, nil)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	fmt.Println(s.Name(), s.Kind())
	// Output: Local\Example-Tracked semaphore
}

// A command that runs under a lock, and never without it.
func ExampleStart() {
	lock, _, err := waitable.OpenOrCreateMutex(`Local\Example-Deploy`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lock.Close()
	runtime.LockOSThread() // the command dies with the thread that starts it
	defer runtime.UnlockOSThread()
	hold, err := lock.Lock(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	err = waitable.Start(lock, cmd)
	if err == nil {
		err = cmd.Wait()
	}
	fmt.Println(err, hold.Unlock())
	// Output: <nil> <nil>
}
