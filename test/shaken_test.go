package test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestTruncationByOthers has a user's process wait for objects of which others
// truncate the files, over and over. They can make its waits fail. They cannot
// crash it.
func TestTruncationByOthers(t *testing.T) {
	if raceDetector() { // see faultyTouches
		t.Skip("not for the race detector: a fault in one of its atomic operations is a crash")
	}
	u := startUsers(t)
	duration := time.Duration(effort(t, 2_000, 600_000)) * time.Millisecond
	tests := []struct {
		name          string
		owner, victim int
		modes         []os.FileMode // that the owner gives it in turn
	}{
		{"root uses a private object", bob, 0, []os.FileMode{0o600}},
		{"a shared object", bob, alice, []os.FileMode{0o666}},
		{"a shared object of the user's own", alice, alice, []os.FileMode{0o666}},
		{"an object that is shared now and then", bob, alice, []os.FileMode{0o600, 0o666}},
		{"root uses one that is shared now and then", bob, 0, []os.FileMode{0o600, 0o666}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			prefix := fmt.Sprintf(`Global\%x-`, rand.Uint32())
			var shakers sync.WaitGroup
			var stop atomic.Bool
			for _, o := range shakenObjects(t, prefix) {
				path, err := filemap.NativeName(o.Name())
				succeed(t, "NativeName", err)
				succeed(t, "Chown", os.Chown(path, test.owner, test.owner))
				s, err := newShaker(path, test.modes)
				succeed(t, "newShaker", err)
				shakers.Go(func() { s.shake(&stop) })
			}
			cmd := u.inRole("shaken", test.victim, test.victim, prefix, duration.String())
			report, err := cmd.Output()
			stop.Store(true)
			shakers.Wait()
			succeed(t, "the process that waits", err)
			t.Logf("figures: truncation by others: %s: %s", test.name, report)
		})
	}
}

// shakenObjects makes an object of each kind, shared with everybody.
func shakenObjects(t *testing.T, prefix string) []waitable.Object {
	t.Helper()
	all := everybody(object.ShareAll)
	m, err := waitable.CreateMutex(prefix+"mutex", &waitable.MutexOptions{Security: all})
	keepOpen(t, m, err)
	s, err := waitable.CreateSemaphore(prefix+"semaphore", 0, 3,
		&waitable.SemaphoreOptions{Security: all, Tracked: true})
	keepOpen(t, s, err)
	e, err := waitable.CreateEvent(prefix+"event", &waitable.EventOptions{Security: all})
	keepOpen(t, e, err)
	timer, err := waitable.CreateTimer(prefix+"timer", &waitable.TimerOptions{Security: all})
	keepOpen(t, timer, err)
	return []waitable.Object{m, s, e, timer}
}

// shaker truncates an object's file, and makes it whole again.
type shaker struct {
	file  *os.File
	path  string
	whole []byte
	modes []os.FileMode
}

func newShaker(path string, modes []os.FileMode) (*shaker, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	whole, err := os.ReadFile(path)
	return &shaker{file, path, whole, modes}, err
}

func (s *shaker) shake(stop *atomic.Bool) {
	defer s.file.Close()
	for i := 0; !stop.Load(); i++ {
		_, _ = s.file.WriteAt(s.whole, 0)
		_ = s.file.Chmod(s.modes[i%len(s.modes)] | os.ModeSticky | 0o100)
		time.Sleep(rand.N(3 * time.Millisecond))
		_ = s.file.Chmod(s.modes[rand.IntN(len(s.modes))] | os.ModeSticky | 0o100)
		_ = s.file.Truncate(0)
		if rand.IntN(2) == 0 {
			time.Sleep(rand.N(time.Millisecond))
		}
	}
}

// waitWhileShaken is the role of the process that waits. Once a page was away,
// its handle only fails, so it opens new ones.
func waitWhileShaken(arguments []string) error {
	prefix := arguments[0]
	duration, err := time.ParseDuration(arguments[1])
	if err != nil {
		return err
	}
	var opened, failed atomic.Int64
	for end := time.Now().Add(duration); time.Now().Before(end); {
		objects := openShaken(prefix)
		opened.Add(int64(len(objects)))
		var waiters sync.WaitGroup
		for range 200 { // more than block threads of their own
			waiters.Go(func() { failed.Add(waitShortly(objects)) })
		}
		waiters.Wait()
		for _, o := range objects {
			if err := o.Close(); err != nil && !errors.Is(err, object.ErrCorrupt) {
				return err
			}
		}
	}
	fmt.Printf("%d handles, %d operations failed by a fault", opened.Load(), failed.Load())
	if opened.Load() == 0 || failed.Load() == 0 {
		return errors.New("nothing was shaken")
	}
	return nil
}

// closable is an object that can be waited for and closed.
type closable interface {
	waitable.Object
	Close() error
}

// openShaken opens those of the objects that are whole.
func openShaken(prefix string) (objects []closable) {
	add := func(o closable, err error) {
		if err == nil {
			objects = append(objects, o)
		}
	}
	m, err := waitable.OpenMutex(prefix + "mutex")
	add(m, err)
	s, err := waitable.OpenSemaphore(prefix + "semaphore")
	add(s, err)
	e, err := waitable.OpenEvent(prefix + "event")
	add(e, err)
	timer, err := waitable.OpenTimer(prefix + "timer")
	add(timer, err)
	return objects
}

// waitShortly waits for one of the objects, or changes it, a few times. It
// returns how often that failed because the page was gone.
func waitShortly(objects []closable) (faults int64) {
	for range 5 {
		if len(objects) == 0 {
			return faults
		}
		ctx, cancel := context.WithTimeout(context.Background(), rand.N(3*time.Millisecond))
		var err error
		switch o := objects[rand.IntN(len(objects))].(type) {
		case *waitable.Event:
			if rand.IntN(20) == 0 {
				err = errors.Join(o.Pulse(), o.Set(), o.Reset())
			} else {
				_, err = waitable.Any(ctx, o)
			}
		case *waitable.Timer:
			if rand.IntN(20) == 0 {
				err = o.SetAfter(time.Millisecond, time.Millisecond)
			} else {
				_, err = waitable.Any(ctx, o)
			}
		case *waitable.Mutex:
			var hold waitable.Hold
			if hold, err = o.Lock(ctx); err == nil {
				err = hold.Unlock()
			}
		default:
			_, err = waitable.Any(ctx, o)
		}
		cancel()
		if errors.Is(err, object.ErrFault) {
			faults++
		}
	}
	return faults
}
