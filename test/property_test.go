package test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestModel does random sequences of operations with the library and with the
// model, which must agree on every result.
func TestModel(t *testing.T) {
	ns := filemaptest.New(t)
	checks := effort(t, 500, 20_000)
	succeed(t, "Set", errors.Join(
		flag.Set("rapid.checks", fmt.Sprint(checks)), flag.Set("rapid.nofailfile", "true")))
	operations := 0
	rapid.Check(t, func(t *rapid.T) {
		m := &machine{
			names: make(names),
			pool:  []string{ns.Name("A"), ns.Name(`Local\B`), ns.Name(`Global\C`)},
		}
		defer m.closeAll()
		t.Repeat(map[string]func(*rapid.T){
			"create":       m.create,
			"open":         m.open,
			"openOrCreate": m.openOrCreate,
			"close":        m.close,
			"view":         m.view,
			"write":        m.write,
			"read":         m.read,
			"closeView":    m.closeView,
			"":             func(t *rapid.T) { operations++; m.check(t) },
		})
	})
	t.Logf("figures: model: %d sequences, %d operations", checks, operations)
}

// machine is the library's and the model's things, side by side.
type machine struct {
	names   names
	pool    []string
	opened  []*filemap.Mapping
	handles []handlePair
	views   []viewPair
}

type handlePair struct {
	real  *filemap.Mapping
	model *modelHandle
}

type viewPair struct {
	real  *filemap.View
	model *modelView
}

func (m *machine) closeAll() {
	for _, real := range m.opened {
		real.Close()
	}
	for _, v := range m.views {
		v.real.Close()
	}
}

// agree fails the check unless the library's error is the model's.
func agree(t *rapid.T, what string, real, model error) {
	t.Helper()
	if !errors.Is(real, model) {
		t.Fatalf("%s: %v, the model says %v", what, real, model)
	}
}

func drawAccess(t *rapid.T) filemap.Access {
	return rapid.SampledFrom([]filemap.Access{
		filemap.ReadWrite, filemap.ReadWrite, filemap.ReadOnly, filemap.CopyOnWrite,
	}).Draw(t, "access")
}

// drawCreateAccess draws for a mapping that may be new. Wine 8 lets those of
// less than ReadWrite be opened for writing, so there it is ReadWrite.
func drawCreateAccess(t *rapid.T) filemap.Access {
	if runtime.GOOS == "windows" {
		return filemap.ReadWrite
	}
	return drawAccess(t)
}

func (m *machine) drawName(t *rapid.T) string { return rapid.SampledFrom(m.pool).Draw(t, "name") }

func drawSize(t *rapid.T) int64 { return rapid.Int64Range(1, 20_000).Draw(t, "size") }

func (m *machine) drawHandle(t *rapid.T) (int, handlePair) {
	if len(m.handles) == 0 {
		t.Skip("no handles")
	}
	i := rapid.IntRange(0, len(m.handles)-1).Draw(t, "handle")
	return i, m.handles[i]
}

func (m *machine) drawView(t *rapid.T) (int, viewPair) {
	if len(m.views) == 0 {
		t.Skip("no views")
	}
	i := rapid.IntRange(0, len(m.views)-1).Draw(t, "view")
	return i, m.views[i]
}

// got takes up an open mapping that both have.
func (m *machine) got(t *rapid.T, what string, real *filemap.Mapping, err error,
	model *modelHandle, modelErr error,
) {
	t.Helper()
	if err == nil {
		m.opened = append(m.opened, real)
	}
	agree(t, what, err, modelErr)
	if err != nil {
		return
	}
	m.handles = append(m.handles, handlePair{real, model})
	if real.Size() != model.size() || real.Access() != model.access {
		t.Fatalf("%s: %d bytes, %v, the model says %d, %v",
			what, real.Size(), real.Access(), model.size(), model.access)
	}
}

func (m *machine) create(t *rapid.T) {
	name, size, access := m.drawName(t), drawSize(t), drawCreateAccess(t)
	real, err := filemap.Create(name, size, &filemap.CreateOptions{Access: access})
	model, modelErr := m.names.create(name, size, access)
	m.got(t, "Create", real, err, model, modelErr)
}

func (m *machine) open(t *rapid.T) {
	name, access := m.drawName(t), drawAccess(t)
	real, err := filemap.Open(name, &filemap.OpenOptions{Access: access})
	model, modelErr := m.names.open(name, access)
	m.got(t, "Open", real, err, model, modelErr)
}

func (m *machine) openOrCreate(t *rapid.T) {
	name, size, access := m.drawName(t), drawSize(t), drawCreateAccess(t)
	real, created, err := filemap.OpenOrCreate(name, size, &filemap.CreateOptions{Access: access})
	model, modelErr := m.names.openOrCreate(name, size, access)
	m.got(t, "OpenOrCreate", real, err, model, modelErr)
	if err == nil && created != model.creator {
		t.Fatalf("OpenOrCreate: created = %v, the model says %v", created, model.creator)
	}
}

func (m *machine) close(t *rapid.T) {
	i, h := m.drawHandle(t)
	agree(t, "Close", h.real.Close(), nil)
	agree(t, "second Close", h.real.Close(), os.ErrClosed)
	_, err := h.real.View(0, 0)
	agree(t, "View of a closed mapping", err, os.ErrClosed)
	m.names.close(h.model)
	m.handles = append(m.handles[:i], m.handles[i+1:]...)
}

func (m *machine) view(t *rapid.T) {
	_, h := m.drawHandle(t)
	offset := rapid.Int64Range(-1, h.model.size()+10).Draw(t, "offset")
	length := rapid.Int64Range(-1, h.model.size()+10).Draw(t, "length")
	access := drawAccess(t)
	real, err := h.real.ViewWith(offset, length, &filemap.ViewOptions{Access: &access})
	model, modelErr := h.model.view(offset, length, access)
	agree(t, "View", err, modelErr)
	if err == nil {
		m.views = append(m.views, viewPair{real, model})
	}
}

func (m *machine) write(t *rapid.T) {
	_, v := m.drawView(t)
	off := rapid.Int64Range(-1, v.model.length+1).Draw(t, "off")
	data := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data")
	n, err := v.real.WriteAt(data, off)
	agree(t, "WriteAt", err, v.model.write(data, off))
	if err == nil && n != len(data) {
		t.Fatalf("WriteAt: %d bytes, the model says %d", n, len(data))
	}
}

func (m *machine) read(t *rapid.T) {
	_, v := m.drawView(t)
	off := rapid.Int64Range(0, v.model.length+1).Draw(t, "off")
	got := make([]byte, rapid.IntRange(1, 6000).Draw(t, "length"))
	n, err := v.real.ReadAt(got, off)
	want := make([]byte, len(got))
	wantN, wantErr := bytes.NewReader(v.model.bytes()).ReadAt(want, off)
	if n != wantN || !errors.Is(err, wantErr) || !bytes.Equal(got[:n], want[:n]) {
		t.Fatalf("ReadAt: %d bytes, error %v, the model says %d, %v", n, err, wantN, wantErr)
	}
}

func (m *machine) closeView(t *rapid.T) {
	i, v := m.drawView(t)
	agree(t, "Close", v.real.Close(), nil)
	agree(t, "second Close", v.real.Close(), os.ErrClosed)
	_, err := v.real.ReadAt(make([]byte, 1), 0)
	agree(t, "ReadAt of a closed view", err, os.ErrClosed)
	m.views = append(m.views[:i], m.views[i+1:]...)
}

// check compares all views, and which names there are.
func (m *machine) check(t *rapid.T) {
	for i, v := range m.views {
		got, err := io.ReadAll(v.real.Reader())
		if want := v.model.bytes(); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("view %d differs from the model, error %v", i, err)
		}
	}
	for _, name := range m.pool {
		real, err := filemap.Open(name, &filemap.OpenOptions{Access: filemap.ReadOnly})
		if err == nil {
			real.Close()
		}
		if (err == nil) != (m.names[name] != nil) {
			t.Fatalf("%s: %v, the model says %v", name, err, m.names[name] != nil)
		}
	}
}
