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
	"path/filepath"
	"runtime"
	"runtime/debug"
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
	_, _, err := channel.OpenOrCreateLatest(a.Name(), 6, nil)
	expectDiffers(t, err, "with a size of 5 bytes, and was asked for with a size of 6 bytes")
	_, _, err = channel.OpenOrCreateLatest(a.Name(), 5, &channel.LatestOptions{Leases: 3})
	expectDiffers(t, err, "with 2 leases, and was asked for with 3 leases")
	same, created, err := channel.OpenOrCreateLatest(a.Name(), 5, nil)
	succeed(t, "OpenOrCreateLatest", err)
	if created {
		t.Error("a value that exists was created")
	}
	succeed(t, "Close", same.Close())
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

// TestLatestWait has many wait, in several handles and several in each, all of
// whom each Write wakes. Who is awake first sleeps again before others are: it
// must not take their signal. If it did they would look by themselves after a
// quarter of a second, and the rounds take minutes.
func TestLatestWait(t *testing.T) {
	watchdog(t)
	const handles, each, rounds = 5, 3, 500
	writer, _ := latest(t, 8)
	var all sync.WaitGroup
	var saw [rounds + 1]sync.WaitGroup
	for round := range saw {
		saw[round].Add(handles * each)
	}
	for range handles {
		l, err := channel.OpenLatest(writer.Name(), &channel.LatestOptions{Spin: channel.SpinNever})
		succeed(t, "OpenLatest", err)
		defer l.Close()
		for range each {
			all.Go(func() {
				for version := uint64(0); version < rounds; {
					next, err := l.Wait(background, version, make([]byte, 8))
					if next != version+1 || err != nil {
						t.Errorf("Wait after %d: %d, %v", version, next, err)
						panic("the others would wait for this one")
					}
					saw[next].Done()
					version = next
				}
			})
		}
	}
	begin := time.Now()
	for round := 1; round <= rounds; round++ {
		succeed(t, "Write", writer.Write(make([]byte, 8)))
		saw[round].Wait()
	}
	all.Wait()
	t.Logf("figures: latest: %d rounds to %d handles, all asleep: %v", rounds, handles, time.Since(begin))
}

func TestLatestWaitEnds(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 8)
	succeed(t, "Write", a.Write(make([]byte, 8)))
	short, cancel := context.WithTimeout(background, 10*time.Millisecond)
	defer cancel()
	if _, err := b.Wait(short, 1, make([]byte, 8)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Wait for what does not come: %v", err)
	}
	if version, err := b.Wait(short, 0, make([]byte, 8)); version != 1 || err != nil {
		t.Errorf("Wait for what is there, when there is no time: %d, %v", version, err)
	}
	ended := make(chan error)
	for range 3 { // one of them sleeps, the others wait for that one
		go func() { ended <- second(b.Wait(background, 1, make([]byte, 8))) }()
	}
	time.Sleep(5 * time.Millisecond)
	succeed(t, "Close", b.Close())
	for range 3 {
		if err := <-ended; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Wait during Close: %v", err)
		}
	}
}

// TestLatestLayout reads what docs/channel-format.md says is there.
func TestLatestLayout(t *testing.T) {
	a, _ := latest(t, 200)
	for i := range 6 {
		succeed(t, "Write", a.Write(bytes.Repeat([]byte{byte(i + 1)}, 200)))
	}
	_, err := a.Lease()
	succeed(t, "Lease", err)
	m, err := filemap.Open(a.Name(), nil)
	succeed(t, "Open", err)
	defer m.Close()
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	const slots, each = 16 << 10, 128 + 256
	for at, want := range map[int64]uint64{
		0: 0x6370616d656c6966, 8: 3<<32 | 2, 16: 4096, 24: 120, 32: 2<<32 | 200, // the preamble
		128: 6 << 16, 144: 6, 152: 1200, // the newest version, nobody's; the counters
		176: 6<<16 | 2, 512: 3<<16 | 1, 520: 0, // the newest version, in slot 2; a lease of that slot
		slots: 4, slots + each: 5, slots + 2*each: 6, slots + 3*each: 3,
		slots + 2*each + 128: 0x0606060606060606, slots + 2*each + 128 + 192: 0x0606060606060606,
		slots + 2*each + 128 + 200: 0,
	} {
		got, err := filemap.Load[uint64](v, at)
		if got != want || err != nil {
			t.Errorf("at %d: %#x, error %v, want %#x", at, got, err, want)
		}
	}
}

// TestLatestOwnFailure has a Write fail in the middle, because what it copies
// is gone. Neither this handle nor others are kept from writing.
func TestLatestOwnFailure(t *testing.T) {
	watchdog(t)
	if runtime.GOOS != "linux" {
		t.Skip("not for windows: nobody can truncate a file that is mapped")
	}
	a, b := latest(t, 1<<16)
	path := filepath.Join(t.TempDir(), "file")
	m, err := filemap.Create("", 1<<16, &filemap.CreateOptions{File: path})
	succeed(t, "Create", err)
	defer m.Close()
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	gone, err := v.Bytes()
	succeed(t, "Bytes", err)
	succeed(t, "Write", a.Write(gone))
	succeed(t, "Truncate", os.Truncate(path, 1<<15))
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if recover() == nil {
				t.Error("Write of bytes that are gone did not panic")
			}
		}()
		_ = a.Write(gone)
	}()
	if version, err := b.Read(make([]byte, 1<<16)); version != 1 || err != nil {
		t.Errorf("Read after a Write that failed: %d, %v", version, err)
	}
	succeed(t, "Write", a.Write(make([]byte, 1<<16)))
	succeed(t, "Write", b.Write(make([]byte, 1<<16)))
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
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	short, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	errs := map[string]int{}
	for range 3000 {
		at, what := rand.Int64N(64)*8, rand.Uint64()>>rand.IntN(64)<<rand.IntN(64)
		switch rand.IntN(6) {
		case 0:
			at = 128 // the sending end
		case 1:
			at = 16<<10 + rand.Int64N(6)*256 // the version of a slot
		case 2:
			at = 128 + 48 // the newest value
		case 3:
			at = 512 + rand.Int64N(2)*8 // the leases
		}
		if owner := what & 0xffff; at == 128 && owner <= 124 {
			what -= owner // one that lives would be waited for, for long
		}
		_, err = v.WriteAt(binary.LittleEndian.AppendUint64(nil, what), at)
		succeed(t, "WriteAt", err)
		draft, err := a.Reserve()
		if err == nil {
			clear(draft.Bytes())
			err = draft.Commit()
		}
		lease, leaseErr := b.Lease()
		if leaseErr == nil {
			bytes.Clone(lease.Bytes())
			leaseErr = lease.Release()
		}
		for _, err := range []error{
			err, leaseErr, a.Write(make([]byte, 100)), second(b.Read(make([]byte, 100))),
			second(b.Wait(short, rand.Uint64N(3), make([]byte, 100))),
		} {
			for _, known := range []error{
				nil, object.ErrCorrupt, channel.ErrNoValue, channel.ErrTooFast, context.DeadlineExceeded,
				object.ErrNoSpace,
			} {
				if errors.Is(err, known) {
					errs[fmt.Sprint(known)]++
					err = nil
				}
			}
			succeed(t, "use", err)
		}
	}
	if errs[object.ErrCorrupt.Error()] == 0 {
		t.Error("nothing was found corrupt")
	}
	t.Logf("figures: latest: hostile bytes: %v", errs)
}
