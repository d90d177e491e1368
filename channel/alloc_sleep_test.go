package channel_test

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/race"
)

// TestSleepingDoesNotAllocate is about waits that sleep at once.
func TestSleepingDoesNotAllocate(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not for windows: each wait has a context of its own, to end with its objects")
	}
	if race.Enabled {
		return // pools forget at random then
	}
	watchdog(t)
	message, buffer, other := make([]byte, 64), make([]byte, 64), make([]byte, 64)
	t.Run("Queue", func(t *testing.T) {
		there, echoed := queue(t, &channel.QueueOptions{Spin: channel.SpinNever})
		back, returned := queue(t, &channel.QueueOptions{Spin: channel.SpinNever})
		expectNoAllocations(t, func() error {
			_, err := echoed.Receive(background, other)
			return errors.Join(err, back.Send(background, message))
		}, func() error {
			err := there.Send(background, message)
			return errors.Join(err, second(returned.Receive(background, buffer)))
		})
	})
	t.Run("Conn", func(t *testing.T) {
		l := listener(t, filemaptest.New(t).Name("service"),
			&channel.ListenOptions{Spin: channel.SpinNever})
		a, err := channel.Dial(background, l.Addr().String(),
			&channel.DialOptions{Spin: channel.SpinNever})
		succeed(t, "Dial", err)
		b, err := l.AcceptConn(background)
		succeed(t, "AcceptConn", err)
		expectNoAllocations(t, func() error {
			_, err := io.ReadFull(b, other)
			if err == nil {
				_, err = b.Write(message)
			}
			return err
		}, func() error {
			_, err := a.Write(message)
			return errors.Join(err, second(io.ReadFull(a, buffer)))
		})
		succeed(t, "Close", errors.Join(a.Close(), b.Close()))
	})
}

// expectNoAllocations has one goroutine do there and another do back, each as
// often as the other.
func expectNoAllocations(t *testing.T, back, there func() error) {
	t.Helper()
	const runs = 200
	ended := make(chan error, 1)
	go func() {
		for range 1 + runs { // AllocsPerRun does it once before it counts
			if err := back(); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	allocs := testing.AllocsPerRun(runs, func() { succeed(t, "there", there()) })
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
	succeed(t, "back", <-ended)
}
