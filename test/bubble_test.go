package test

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// What the goroutines of a process share is no part of the bubble of
// testing/synctest that used it first. Each test is the first of its process.

func TestFirstMutexInBubble(t *testing.T) {
	linuxOnly(t, "a thread that owns mutexes is part of the bubble that uses it first")
	if !alone(t) {
		return
	}
	name := filemaptest.New(t).Name("mutex")
	synctest.Test(t, func(t *testing.T) {
		m, err := waitable.CreateMutex(name, nil)
		keepOpen(t, m, err)
		hold, err := m.Lock(t.Context())
		succeed(t, "Lock", err)
		time.Sleep(time.Hour) // of the bubble's time
		succeed(t, "Unlock", hold.Unlock())
	})
	m, err := waitable.CreateMutex(name, nil) // from outside
	keepOpen(t, m, err)
}

func TestContendedMutexInBubble(t *testing.T) {
	linuxOnly(t, "a thread that owns mutexes is part of the bubble that uses it first")
	if !alone(t) {
		return
	}
	name := filemaptest.New(t).Name("mutex")
	synctest.Test(t, func(t *testing.T) {
		m, err := waitable.CreateMutex(name, nil)
		keepOpen(t, m, err)
		locks := 0
		var lockers sync.WaitGroup
		for range 200 { // more than block threads of their own
			lockers.Go(func() {
				hold, err := m.Lock(t.Context())
				succeed(t, "Lock", err)
				locks++
				succeed(t, "Unlock", hold.Unlock())
			})
		}
		lockers.Wait()
		if locks != 200 {
			t.Errorf("%d locks of 200", locks)
		}
	})
}

func TestFirstConnInBubble(t *testing.T) {
	linuxOnly(t, "a thread that owns mutexes is part of the bubble that uses it first")
	if !alone(t) {
		return
	}
	name := filemaptest.New(t).Name("service")
	synctest.Test(t, func(t *testing.T) {
		l, err := channel.Listen(name, nil)
		keepOpen(t, l, err)
		go func() {
			c, err := channel.Dial(t.Context(), name, nil)
			if err == nil {
				_, err = c.Write([]byte("hello"))
			}
			if err != nil {
				t.Error(err)
			}
			t.Cleanup(func() { c.Close() })
		}()
		c, err := l.Accept()
		keepOpen(t, c, err)
		text := make([]byte, 5)
		if _, err := io.ReadFull(c, text); err != nil || string(text) != "hello" {
			t.Errorf("read %q, %v", text, err)
		}
	})
}
