package channel_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// writeInPlace makes a number the newest value, everywhere in it.
func writeInPlace(t *testing.T, l *channel.Latest, number uint64) {
	t.Helper()
	draft, err := l.Reserve()
	succeed(t, "Reserve", err)
	for at := 0; at < l.Size(); at += 8 {
		binary.LittleEndian.PutUint64(draft.Bytes()[at:], number)
	}
	succeed(t, "Commit", draft.Commit())
}

func expectInPlace(t *testing.T, lease channel.LatestLease, number uint64) {
	t.Helper()
	want := bytes.Repeat(binary.LittleEndian.AppendUint64(nil, number), len(lease.Bytes())/8)
	if lease.Version() != number || !bytes.Equal(lease.Bytes(), want) {
		t.Errorf("version %d: % x, want %d", lease.Version(), lease.Bytes()[:8], number)
	}
}

func TestLatestInPlace(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 800)
	if _, err := b.Lease(); !errors.Is(err, channel.ErrNoValue) {
		t.Errorf("Lease before the first value: %v", err)
	}
	writeInPlace(t, a, 1)
	first, err := b.Lease()
	succeed(t, "Lease", err)
	for number := uint64(2); number < 30; number++ {
		writeInPlace(t, a, number)
		second, err := b.Next(background, number-1)
		succeed(t, "Next", err)
		expectInPlace(t, second, number)
		buffer := make([]byte, 800)
		if version, err := a.Read(buffer); version != number || err != nil || !bytes.Equal(buffer, second.Bytes()) {
			t.Errorf("Read of version %d: %d, %v", number, version, err)
		}
		succeed(t, "Release", second.Release())
	}
	expectInPlace(t, first, 1)

	second, err := a.Lease()
	succeed(t, "Lease", err)
	if _, err := b.Lease(); !errors.Is(err, object.ErrNoSpace) {
		t.Errorf("a third lease of two: %v", err)
	}
	writeInPlace(t, b, 30)
	succeed(t, "Release", second.Release())
	succeed(t, "Release", first.Release())
	third, err := b.Lease()
	succeed(t, "Lease", err)
	for _, err := range []error{first.Release(), second.Release(), channel.LatestLease{}.Release()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Release once more: %v", err)
		}
	}
	expectInPlace(t, third, 30)
	succeed(t, "Close", b.Close())
	if err := third.Release(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Release after Close: %v", err)
	}
	for range 2 { // Close has given the lease back
		lease, err := a.Lease()
		succeed(t, "Lease", err)
		defer lease.Release()
	}
}

func TestLatestDraftEnds(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 8)
	writeInPlace(t, a, 1)
	draft, err := a.Reserve()
	succeed(t, "Reserve", err)
	clear(draft.Bytes())
	written := make(chan error)
	go func() { written <- b.Write(binary.LittleEndian.AppendUint64(nil, 2)) }()
	if version, err := b.Read(make([]byte, 8)); version != 1 || err != nil {
		t.Errorf("Read during a draft: %d, %v", version, err)
	}
	select {
	case err := <-written:
		t.Errorf("Write during a draft: %v", err)
	case <-time.After(10 * time.Millisecond):
	}
	succeed(t, "Abort", draft.Abort())
	succeed(t, "Write", <-written)
	for _, err := range []error{draft.Abort(), draft.Commit(), channel.LatestDraft{}.Commit()} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("to end a draft once more: %v", err)
		}
	}
	draft, err = a.Reserve()
	succeed(t, "Reserve", err)
	go func() { written <- a.Write(make([]byte, 8)) }() // waits for the draft of its own handle
	time.Sleep(time.Millisecond)
	succeed(t, "Close", a.Close())
	for _, err := range []error{draft.Commit(), <-written, second(a.Reserve()), second(a.Lease())} {
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	writeInPlace(t, b, 3)
	lease, err := b.Lease()
	succeed(t, "Lease", err)
	expectInPlace(t, lease, 3)
}

func TestLatestLeasesOption(t *testing.T) {
	ns := filemaptest.New(t)
	for _, leases := range []int{1, 60} {
		l, err := channel.CreateLatest(ns.Name("l"), 100, &channel.LatestOptions{Leases: leases})
		succeed(t, "CreateLatest", err)
		other, err := channel.OpenLatest(ns.Name("l"), nil)
		succeed(t, "OpenLatest", err)
		var held []channel.LatestLease
		for number := range leases {
			succeed(t, "Write", l.Write(bytes.Repeat([]byte{byte(number)}, 100)))
			lease, err := other.Lease()
			succeed(t, "Lease", err)
			held = append(held, lease)
		}
		if _, err := other.Lease(); !errors.Is(err, object.ErrNoSpace) {
			t.Errorf("lease %d of %d: %v", leases+1, leases, err)
		}
		for range 10 {
			succeed(t, "Write", l.Write(make([]byte, 100)))
		}
		for number, lease := range held {
			if lease.Bytes()[99] != byte(number) {
				t.Errorf("value %d has become %d", number, lease.Bytes()[99])
			}
		}
		succeed(t, "Close", other.Close())
		succeed(t, "Close", l.Close())
	}
	for _, opts := range []channel.LatestOptions{{Leases: -1}, {Leases: 61}} {
		if _, err := channel.CreateLatest(ns.Name("l"), 8, &opts); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%d leases: %v", opts.Leases, err)
		}
	}
	for _, size := range []int{1 << 30, math.MaxInt32, math.MaxInt} { // more than 4 GiB together
		if _, err := channel.CreateLatest(ns.Name("l"), size, nil); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("a size of %d: %v", size, err)
		}
	}
}

func init() {
	roles["lease latest"] = func(name string) error {
		l, err := channel.OpenLatest(name, nil)
		if err != nil {
			return err
		}
		for {
			lease, err := l.Lease()
			if err != nil {
				return err
			}
			say("leased")
			time.Sleep(time.Second)
			_ = lease.Release()
		}
	}
	roles["draft latest"] = func(name string) error {
		l, err := channel.OpenLatest(name, nil)
		if err != nil {
			return err
		}
		draft, err := l.Reserve()
		if err != nil {
			return err
		}
		draft.Bytes()[0]++
		say("reserved")
		time.Sleep(time.Hour)
		return nil
	}
}

// TestLatestDeadHolders kills processes that have leases, and those that have
// drafts: others get the leases, and write.
func TestLatestDeadHolders(t *testing.T) {
	watchdog(t)
	a, _ := latest(t, 800)
	writeInPlace(t, a, 1)
	for number := uint64(2); number < 6; number++ {
		readers := []*child{start(t, "lease latest", a.Name()), start(t, "lease latest", a.Name())}
		for _, r := range readers {
			r.await(t, "leased")
		}
		if _, err := a.Lease(); !errors.Is(err, object.ErrNoSpace) {
			t.Fatalf("a third lease of two: %v", err)
		}
		writer := start(t, "draft latest", a.Name())
		writer.await(t, "reserved")
		for _, c := range append(readers, writer) {
			c.kill()
		}
		writeInPlace(t, a, number)
		lease, err := a.Lease()
		succeed(t, "Lease", err)
		expectInPlace(t, lease, number)
		succeed(t, "Release", lease.Release())
	}
}

// TestLatestLeasesUnderWrites has values change as fast as they can while others
// look at them in place.
func TestLatestLeasesUnderWrites(t *testing.T) {
	watchdog(t)
	a, b := latest(t, 8<<10)
	writeInPlace(t, a, 1)
	var over atomic.Bool
	writer := make(chan uint64)
	go func() {
		number := uint64(2)
		for ; !over.Load(); number++ {
			writeInPlace(t, a, number)
		}
		writer <- number
	}()
	leases, last := 0, uint64(0)
	for ; leases < 20_000; leases++ {
		lease, err := b.Next(background, last)
		succeed(t, "Next", err)
		if leases%100 == 0 {
			time.Sleep(10 * time.Microsecond)
		}
		last = lease.Version()
		expectInPlace(t, lease, last)
		succeed(t, "Release", lease.Release())
	}
	over.Store(true)
	t.Logf("figures: latest in place: %d leases of %d values, none torn", leases, <-writer)
}
