package filemap_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestErrorsExplain checks that errors have the numbers and the kinds that
// explain them.
func TestErrorsExplain(t *testing.T) {
	ns := filemaptest.New(t)
	m, err := filemap.Create(ns.Name("m"), 8192, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	e, err := waitable.CreateEvent(ns.Name("event"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	v, err := m.View(0, 4096)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	name, event := m.Name(), e.Name()
	tests := []struct {
		do   func() error
		is   error
		text string
	}{
		{
			func() error { _, err := m.View(4096, 8192); return err }, object.ErrRange,
			"view " + name + ": offset 4096, length 8192: the mapping has 8192 bytes",
		}, {
			func() error { _, err := m.View(-1, 0); return err }, object.ErrRange,
			"view " + name + ": offset -1, length 0: the mapping has 8192 bytes",
		}, {
			func() error { _, err := v.ReadAt(make([]byte, 8), -1); return err }, object.ErrRange,
			"read " + name + ": offset -1, length 8: the view has 4096 bytes",
		}, {
			func() error { _, err := v.WriteAt(make([]byte, 8), 4090); return err }, object.ErrRange,
			"write " + name + ": offset 4090, length 8: the view has 4096 bytes",
		}, {
			func() error { _, err := v.Word64(4096); return err }, object.ErrRange,
			"view " + name + ": offset 4096, length 8: the view has 4096 bytes",
		}, {
			func() error { _, err := v.Word32(6); return err }, fs.ErrInvalid,
			"view " + name + ": offset 6: the bytes do not begin at a multiple of 4",
		}, {
			func() error { _, err := filemap.Load[uint32](v, 4094); return err }, object.ErrRange,
			"read " + name + ": offset 4094, length 4: the view has 4096 bytes",
		}, {
			func() error { return filemap.Store(v, 4094, int32(1)) }, object.ErrRange,
			"write " + name + ": offset 4094, length 4: the view has 4096 bytes",
		}, {
			func() error { _, err := filemap.SliceAt[uint32](v, 8, 1024); return err }, object.ErrRange,
			"view " + name + ": offset 8, length 4096: the view has 4096 bytes",
		}, {
			func() error { _, err := filemap.SliceAt[uint64](v, 0, -1); return err }, object.ErrRange,
			"view " + name + ": offset 0, -1 values of 8 bytes: the view has 4096 bytes",
		}, {
			func() error { _, err := filemap.Open(event, nil); return err }, object.ErrWrongKind,
			"open " + event + ": it is an event, not a mapping",
		}, {
			func() error { _, err := filemap.Create(event, 1, nil); return err }, object.ErrWrongKind,
			"create " + event + ": it is an event, not a mapping",
		}, {
			func() error { _, err := waitable.OpenMutex(event); return err }, object.ErrWrongKind,
			"open " + event + ": it is an event, not a mutex",
		}, {
			func() error { _, err := waitable.CreateEvent(name, nil); return err }, object.ErrWrongKind,
			"create " + name + ": it is a mapping, not an event",
		}, {
			func() error { _, err := filemap.Open("", nil); return err }, object.ErrInvalidName,
			"open unnamed mapping: invalid name: it is empty",
		},
	}
	for _, test := range tests {
		err := test.do()
		if !errors.Is(err, test.is) || fmt.Sprint(err) != test.text {
			t.Errorf("error %q, want %q, which is %v", err, test.text, test.is)
		}
	}
}
