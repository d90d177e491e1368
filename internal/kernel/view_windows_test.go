package kernel

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/object"
)

const viewTestSize = 256 << 10

func TestViewsAtAnyOffset(t *testing.T) {
	m := create(t, MappingSpec{Size: viewTestSize})
	all := mapView(t, m, ViewSpec{Length: viewTestSize})
	for _, offset := range []int64{0, 1, 4095, 65535, 65536, 65537, viewTestSize - 3} {
		view := mapView(t, m, ViewSpec{Offset: offset, Length: 3})
		if view.Len() != 3 {
			t.Errorf("Len() at offset %d = %d, want 3", offset, view.Len())
		}
		if err := view.WriteAt([]byte("abc"), 0); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3)
		if err := all.ReadAt(got, offset); err != nil || string(got) != "abc" {
			t.Errorf("at offset %d lies %q, %v, want abc", offset, got, err)
		}
	}
}

func TestViewAtABase(t *testing.T) {
	m := create(t, MappingSpec{Size: viewTestSize})
	probe := mapView(t, m, ViewSpec{Length: viewTestSize})
	data, err := probe.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Map(ViewSpec{Length: 10, Base: addressOf(data)})
	wantError(t, "mapping where a view lies", err, fs.ErrInvalid)
	view, base := mapAtFreeBase(t, m, ViewSpec{Offset: 65536, Length: 10})
	defer view.Close()
	data, err = view.Bytes()
	if err != nil || addressOf(data) != base {
		t.Errorf("the view begins at %#x, %v, want %#x", addressOf(data), err, base)
	}
}

// mapAtFreeBase maps a view at an address of its choice.
func mapAtFreeBase(t *testing.T, m *Mapping, spec ViewSpec) (*mem.Region, uintptr) {
	t.Helper()
	const step = 16 << 20
	for spec.Base = 16 * step; spec.Base < 100*step; spec.Base += step {
		if view, err := m.Map(spec); err == nil {
			return view, spec.Base
		}
	}
	t.Fatal("something lies at all bases tried")
	return nil, 0
}

// TestPrefault: no byte changes, for any access and where the view does not
// begin or end with a page.
func TestPrefault(t *testing.T) {
	m := create(t, MappingSpec{Size: viewTestSize})
	written := make([]byte, 70000)
	for i := range written {
		written[i] = byte(i%251 + 1)
	}
	if err := mapView(t, m, ViewSpec{Offset: 4097, Length: 70000}).WriteAt(written, 0); err != nil {
		t.Fatal(err)
	}
	for _, access := range []object.Access{object.ReadWrite, object.ReadOnly, object.CopyOnWrite} {
		view := mapView(t, m, ViewSpec{Offset: 4097, Length: 70000, Access: access, Prefault: true})
		got := make([]byte, 70000)
		if err := view.ReadAt(got, 0); err != nil || string(got) != string(written) {
			t.Errorf("%v: the bytes are others, %v", access, err)
		}
	}
}

// TestClosedViewFaults: the addresses of a closed view stay taken.
func TestClosedViewFaults(t *testing.T) {
	view := mapView(t, create(t, MappingSpec{Size: viewTestSize}), ViewSpec{Length: viewTestSize})
	data, err := view.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, viewTestSize - 1} {
		if !faults(data, i) {
			t.Errorf("byte %d of a closed view can be read", i)
		}
	}
}

func faults(data []byte, i int) (faulted bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { faulted = recover() != nil }()
	touched = data[i]
	return false
}

var touched byte // keeps the compiler from leaving the read out

// TestClosedViewGivesItsAddressesBack: those that nobody can know any more.
func TestClosedViewGivesItsAddressesBack(t *testing.T) {
	m := create(t, MappingSpec{Size: viewTestSize})
	view, base := mapAtFreeBase(t, m, ViewSpec{Length: viewTestSize})
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := m.Map(ViewSpec{Length: viewTestSize, Base: base})
	wantError(t, "mapping where a view was", err, fs.ErrInvalid)
	view = nil
	watchdog := time.After(time.Minute)
	for err != nil {
		select {
		case <-watchdog:
			t.Fatalf("the addresses are never free again: %v", err)
		default:
			runtime.GC()
			view, err = m.Map(ViewSpec{Length: viewTestSize, Base: base})
		}
	}
	view.Close()
}

// TestAccessWhileClosing: an access either finishes or meets os.ErrClosed.
func TestAccessWhileClosing(t *testing.T) {
	m := create(t, MappingSpec{Size: viewTestSize})
	for range 200 {
		view := mapView(t, m, ViewSpec{Length: viewTestSize})
		var workers sync.WaitGroup
		started := make(chan struct{}, 4)
		for range cap(started) {
			workers.Go(func() {
				started <- struct{}{}
				accessUntilClosed(t, view)
			})
		}
		<-started
		if err := view.Close(); err != nil {
			t.Fatal(err)
		}
		workers.Wait()
	}
}

func accessUntilClosed(t *testing.T, view *mem.Region) {
	word, err := view.Word64(viewTestSize / 2)
	if err != nil {
		if !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
		return
	}
	buffer := make([]byte, 64<<10)
	for i := int64(0); err == nil; i++ {
		if err = view.WriteAt(buffer, i%3*int64(len(buffer))); err == nil {
			_, err = word.Add(1)
		}
	}
	if !errors.Is(err, os.ErrClosed) {
		t.Errorf("an access while the view closes = %v, want os.ErrClosed", err)
	}
}

// TestViewsOutliveTheHandle: the memory stays, the name does not.
func TestViewsOutliveTheHandle(t *testing.T) {
	name := newName(t)
	m := create(t, MappingSpec{Name: name, Size: 4096})
	view := mapView(t, m, ViewSpec{Length: 4096})
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := OpenMapping(t.Context(), name, object.ReadOnly)
	wantError(t, "opening a name that has only a view", err, object.ErrNotExist)
	if err := view.WriteAt([]byte("alive"), 0); err != nil {
		t.Error(err)
	}
}
