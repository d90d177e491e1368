package channel_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

func latest(t *testing.T, size int) (one, other *channel.Latest) {
	t.Helper()
	name := filemaptest.New(t).Name("latest")
	one, err := channel.CreateLatest(name, size, nil)
	succeed(t, "CreateLatest", err)
	t.Cleanup(func() { _ = one.Close() })
	other, err = channel.OpenLatest(name, nil)
	succeed(t, "OpenLatest", err)
	t.Cleanup(func() { _ = other.Close() })
	return one, other
}

func TestLatest(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 5)
	buffer := make([]byte, 8)
	if _, err := b.Read(buffer); !errors.Is(err, channel.ErrNoValue) {
		t.Errorf("Read before the first Write: %v", err)
	}
	for i := range uint64(20) {
		value := fmt.Appendf(nil, "%5d", i)
		succeed(t, "Write", a.Write(value))
		version, err := b.Read(buffer)
		if version != i+1 || string(buffer[:5]) != string(value) || err != nil {
			t.Errorf("version %d: %q, %v", version, buffer[:5], err)
		}
	}
	for _, err := range []error{a.Write(make([]byte, 4)), a.Write(make([]byte, 6)), second(a.Read(make([]byte, 4)))} {
		if !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a wrong size: %v", err)
		}
	}
	if b.Size() != 5 {
		t.Errorf("the size is %d", b.Size())
	}
	succeed(t, "Close", b.Close())
	for _, err := range []error{b.Close(), b.Write(make([]byte, 5)), second(b.Read(buffer)), second(b.Wait(background, 0, buffer))} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	for _, size := range []int{0, -1, 1 << 30} {
		if _, err := channel.CreateLatest("x", size, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a size of %d: %v", size, err)
		}
	}
	if _, err := channel.OpenQueue(a.Name(), nil); !errors.Is(err, object.ErrWrongKind) {
		t.Errorf("OpenQueue of a value: %v", err)
	}
}

// TestLatestWait has many wait, all of whom one Write wakes.
func TestLatestWait(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 8)
	for round := range uint64(5) {
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				handle := []*channel.Latest{a, b}[i%2]
				version, err := handle.Wait(background, round, make([]byte, 8))
				if version != round+1 || err != nil {
					t.Errorf("Wait for %d: %d, %v", round+1, version, err)
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		succeed(t, "Write", a.Write(make([]byte, 8)))
		all.Wait()
	}
	short, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, err := b.Wait(short, 5, make([]byte, 8)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait for what does not come: %v", err)
	}
	closed := make(chan error)
	go func() { closed <- second(b.Wait(background, 5, make([]byte, 8))) }()
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", b.Close())
	if err := <-closed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("Wait during Close: %v", err)
	}
}

const tornSize = 10_000

func init() {
	roles["write latest"] = func(name string) error {
		l, err := channel.OpenLatest(name, nil)
		if err != nil {
			return err
		}
		value := make([]byte, tornSize)
		for i := uint64(0); ; i++ {
			for at := 0; at < len(value); at += 8 {
				binary.LittleEndian.PutUint64(value[at:], i*0x9e3779b97f4a7c15)
			}
			if err := l.Write(value); err != nil {
				return err
			}
			if i == 10 {
				say("writing")
			}
		}
	}
}

// TestLatestIsNeverTorn kills writers at random moments, while others read: all
// words of a value are the same, and versions never go back.
func TestLatestIsNeverTorn(t *testing.T) {
	watchdog(t)
	a, b := latest(t, tornSize)
	var reads, kills int
	stop, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		buffer := make([]byte, tornSize)
		for last := uint64(0); ; reads++ {
			select {
			case <-stop:
				return
			default:
			}
			version, err := b.Read(buffer)
			if errors.Is(err, channel.ErrNoValue) || errors.Is(err, channel.ErrTooFast) {
				continue
			}
			if err != nil || version < last || !bytes.Equal(buffer[8:], buffer[:tornSize-8]) {
				t.Errorf("version %d after %d: %v, torn %v", version, last, err, !bytes.Equal(buffer[8:], buffer[:tornSize-8]))
				return
			}
			last = version
		}
	}()
	for range 30 {
		writers := []*child{start(t, "write latest", a.Name()), start(t, "write latest", a.Name())}
		for _, w := range writers {
			w.await(t, "writing")
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		for _, w := range writers {
			w.kill()
			kills++
		}
	}
	close(stop)
	<-done
	succeed(t, "Write after the writers' deaths", a.Write(make([]byte, tornSize)))
	t.Logf("figures: latest: %d reads, %d writers killed, none torn", reads, kills)
}

// TestLatestHostile has somebody write nonsense into the memory.
func TestLatestHostile(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 100)
	m, err := filemap.Open(a.Name(), nil)
	succeed(t, "Open", err)
	defer m.Close()
	v, err := m.View(128, 0)
	succeed(t, "View", err)
	defer v.Close()
	noise := rand.NewChaCha8([32]byte{1})
	for range 2000 {
		junk := make([]byte, 1+rand.IntN(500))
		_, _ = noise.Read(junk)
		if i := rand.IntN(8); i > 0 { // no owner: one that lives would be waited for
			junk = junk[:min(len(junk), 8)]
			clear(junk[:min(len(junk), 2)])
		} else {
			clear(junk)
		}
		_, _ = v.WriteAt(junk, rand.Int64N(40)*8)
		_ = a.Write(make([]byte, 100))
		_, _ = b.Read(make([]byte, 100))
	}
}

func TestLatestDoesNotAllocate(t *testing.T) {
	a, b := latest(t, 100)
	value, buffer := make([]byte, 100), make([]byte, 100)
	allocs := testing.AllocsPerRun(1000, func() {
		if err := errors.Join(a.Write(value), second(b.Read(buffer))); err != nil {
			t.Error(err)
		}
	})
	if allocs != 0 {
		t.Errorf("Write and Read: %v allocations", allocs)
	}
}
