package channel

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
)

// TestOthersRunBeforeOneSleeps has another goroutine, which yields first, be
// about to do something when one is to wait: asleep, that one might keep it from it.
func TestOthersRunBeforeOneSleeps(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	q, err := CreateQueue(filemaptest.New(t).Name("q"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for range 100 {
		var done atomic.Bool
		go func() {
			runtime.Gosched()
			done.Store(true)
		}()
		p := patience{bell: q.taking.bell, spin: &spin{option: time.Nanosecond}}
		for !p.asleep {
			if _, _, err := p.wait(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
		}
		p.stop()
		if !done.Load() {
			t.Fatal("asleep before the other one has run")
		}
	}
}

// TestLooksBecomeSeldom has nothing come for long, and then something.
func TestLooksBecomeSeldom(t *testing.T) {
	q, err := CreateQueue(filemaptest.New(t).Name("q"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	b := q.taking.bell
	sleep := func() {
		if err := b.prepareWait(); err != nil {
			t.Fatal(err)
		}
	}
	sleep()
	for pause := lookAgain; pause < lookLater; pause *= 2 {
		if got := time.Duration(b.pause.Load()); got < pause {
			t.Errorf("a pause of %v, want %v", got, pause)
		}
		b.look()
	}
	sleep() // another one, who was awake: something has come
	if got := time.Duration(b.pause.Load()); got >= lookLater {
		t.Errorf("a pause of %v, though somebody was awake", got)
	}
	b.cancelWait()
	b.cancelWait()
}
