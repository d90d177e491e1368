package test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// abused is an object whose page somebody scribbles over, and what others do
// with it meanwhile. What they do may fail, but it ends.
type abused struct {
	name   string
	object interface {
		waitable.Object
		Close() error
	}
	use func(ctx context.Context) error
}

func abusedObjects(t *testing.T, name func(string) string, security *waitable.Security) []abused {
	t.Helper()
	m, err := waitable.CreateMutex(name("mutex"), &waitable.MutexOptions{Security: security})
	keepOpen(t, m, err)
	s, err := waitable.CreateSemaphore(name("semaphore"), 2, 3,
		&waitable.SemaphoreOptions{Security: security})
	keepOpen(t, s, err)
	tracked, err := waitable.CreateSemaphore(name("tracked"), 2, 3,
		&waitable.SemaphoreOptions{Security: security, Tracked: true})
	keepOpen(t, tracked, err)
	e, err := waitable.CreateEvent(name("event"), &waitable.EventOptions{Security: security})
	keepOpen(t, e, err)
	timer, err := waitable.CreateTimer(name("timer"), &waitable.TimerOptions{Security: security})
	keepOpen(t, timer, err)
	permit := func(s *waitable.Semaphore) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := s.Release(1)
			return errors.Join(s.Acquire(ctx), err)
		}
	}
	return []abused{
		{"mutex", m, func(ctx context.Context) error {
			hold, err := m.Lock(ctx)
			if err != nil {
				return err
			}
			return errors.Join(hold.Relock(), hold.Unlock(), hold.Unlock())
		}},
		{"semaphore", s, permit(s)},
		{"tracked", tracked, permit(tracked)},
		{"event", e, func(ctx context.Context) error {
			return errors.Join(e.Pulse(), e.Reset(), e.Set(), e.Wait(ctx))
		}},
		{"timer", timer, func(ctx context.Context) error {
			return errors.Join(timer.SetAfter(time.Millisecond, time.Millisecond), timer.Wait(ctx), timer.Cancel())
		}},
	}
}

// scribble writes at random over a page, mostly where it matters, until stop.
func scribble(page *os.File, stop *atomic.Bool) (writes int) {
	places := []int64{0x00, 0x08, 0x0C, 0x10, 0x18, 0x20, 0x40, 0x40, 0x40, 0x44, 0x80, 0x88, 0x90, 0x200, 0x208}
	values := []uint64{0, 1, 1 << 29, 1<<30 - 1, 1 << 30, 1 << 31, 1<<32 - 1, 1 << 63, 1<<64 - 1}
	for ; !stop.Load(); writes++ {
		place, value := places[rand.IntN(len(places))], rand.Uint64()
		if rand.IntN(8) == 0 {
			place = rand.Int64N(4096 - 8)
		}
		if rand.IntN(2) == 0 {
			value = values[rand.IntN(len(values))]
		}
		var bytes [8]byte
		for i := range bytes {
			bytes[i] = byte(value >> (8 * i))
		}
		_, _ = page.WriteAt(bytes[:], place)
		if writes%16 == 0 {
			time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
		}
	}
	return writes
}

func TestHostilePages(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	for _, o := range abusedObjects(t, filemaptest.New(t).Name, nil) {
		t.Run(o.name, func(t *testing.T) { abuse(t, o) })
	}
}

// TestHostileUsersPages is about objects that other users may write to. Those
// can also take the page away, which crashes nobody.
func TestHostileUsersPages(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	filemaptest.New(t)
	global := func(base string) string { return `Global\` + base }
	for _, o := range abusedObjects(t, global, everybody(object.ShareAll)) {
		t.Run(o.name, func(t *testing.T) {
			abuse(t, o)
			takeAway(t, o)
		})
	}
}

// pageOf opens an object's page.
func pageOf(t *testing.T, o abused) *os.File {
	t.Helper()
	path, err := filemap.NativeName(o.object.Name())
	succeed(t, "NativeName", err)
	page, err := os.OpenFile(path, os.O_RDWR, 0)
	return keepOpen(t, page, err)
}

func abuse(t *testing.T, o abused) {
	page := pageOf(t, o)
	var stop atomic.Bool
	writes := make(chan int, 1)
	go func() { writes <- scribble(page, &stop) }()
	var uses, failures atomic.Int64
	var users sync.WaitGroup
	end := time.Now().Add(time.Duration(effort(t, 400, 20_000)) * time.Millisecond)
	for range 4 {
		users.Go(func() {
			for time.Now().Before(end) {
				ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
				if err := o.use(ctx); err != nil {
					failures.Add(1)
				}
				cancel()
				_, _ = inspect.Find(t.Context(), o.object.Name())
				uses.Add(1)
			}
		})
	}
	expectEnd(t, &users)
	stop.Store(true)
	t.Logf("figures: hostile bytes: %s: %d uses, %d of them failed, under %d writes",
		o.name, uses.Load(), failures.Load(), <-writes)
}

func takeAway(t *testing.T, o abused) {
	succeed(t, "Truncate", pageOf(t, o).Truncate(0))
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := o.use(ctx); err == nil {
		t.Error("the page is gone, and nobody noticed")
	}
}

// expectEnd fails the test if users go on long after they should have ended.
func expectEnd(t *testing.T, users *sync.WaitGroup) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		users.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("an operation does not end")
	}
}
