package waitable_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/filemap-go/filemap/waitable"
)

// An object without a name is shared by its file, which package handle passes to
// another process. Here both handles are in one.
func ExampleMutexFromFile() {
	mutex, err := waitable.CreateMutex("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mutex.Close()
	f, err := mutex.File()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()

	other, err := waitable.MutexFromFile(f)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer other.Close()
	hold, err := other.Lock(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, locked, err := mutex.TryLock()
	fmt.Println(locked, err)
	fmt.Println(hold.Unlock())
	// Output:
	// false <nil>
	// <nil>
}

// Each kind has a function of its own.
func ExampleEventFromFile() {
	event, err := waitable.CreateEvent("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer event.Close()
	semaphore, err := waitable.CreateSemaphore("", 0, 1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer semaphore.Close()
	timer, err := waitable.CreateTimer("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer timer.Close()

	if err := signalAll(event, semaphore, timer); err != nil {
		fmt.Println(err)
		return
	}
	_, err = waitable.All(context.Background(), event, semaphore, timer)
	fmt.Println(err)
	// Output: <nil>
}

// signalAll uses second handles, as another process would.
func signalAll(event *waitable.Event, semaphore *waitable.Semaphore, timer *waitable.Timer) error {
	return errors.Join(
		received(event.File, waitable.EventFromFile, (*waitable.Event).Set),
		received(semaphore.File, waitable.SemaphoreFromFile, func(s *waitable.Semaphore) error {
			_, err := s.Release(1)
			return err
		}),
		received(timer.File, waitable.TimerFromFile, func(t *waitable.Timer) error { return t.SetAfter(0, 0) }),
	)
}

// received makes an object of another one's file, and uses it.
func received[T interface{ Close() error }](
	file func() (*os.File, error), fromFile func(*os.File) (T, error), use func(T) error,
) error {
	f, err := file()
	if err != nil {
		return err
	}
	defer f.Close()
	object, err := fromFile(f)
	if err != nil {
		return err
	}
	defer object.Close()
	return use(object)
}
