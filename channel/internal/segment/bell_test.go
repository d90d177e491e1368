package segment

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
)

// newTestBell returns the bell of a queue's messages.
func newTestBell(t *testing.T) *Bell {
	t.Helper()
	s, _, err := Make(Spec{
		Name: filemaptest.New(t).Name("q"), Kind: Queue, Capacity: CapacityLeast,
	}, Create)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	r, err := s.Ring()
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bell("~data", &r.Bells.Data, &r.Receive.Waits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestOthersRunBeforeOneSleeps has another goroutine, which yields first, be
// about to do something when one is to wait: asleep, that one might keep it from it.
func TestOthersRunBeforeOneSleeps(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := newTestBell(t)
	for range 100 {
		var done atomic.Bool
		go func() {
			runtime.Gosched()
			done.Store(true)
		}()
		p := Patience{Bell: b, Spin: &Spin{Option: time.Nanosecond}}
		for !p.Asleep {
			if _, _, err := p.wait(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		p.Stop()
		if !done.Load() {
			t.Fatal("asleep before the other one has run")
		}
	}
}

// TestLooksBecomeSeldom has nothing come for long, and then something.
func TestLooksBecomeSeldom(t *testing.T) {
	b := newTestBell(t)
	sleep := func() {
		if err := b.prepareWait(); err != nil {
			t.Fatal(err)
		}
	}
	sleep()
	for pause := LookAgain; pause < lookLater; pause *= 2 {
		if got := time.Duration(b.pause.Load()); got < pause {
			t.Errorf("a pause of %v, want %v", got, pause)
		}
		b.look()
	}
	sleep() // another one, which was awake: something has come
	if got := time.Duration(b.pause.Load()); got >= lookLater {
		t.Errorf("a pause of %v, though somebody was awake", got)
	}
	b.cancelWait()
	b.cancelWait()
}
