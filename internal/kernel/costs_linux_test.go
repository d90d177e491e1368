package kernel

import (
	"testing"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// touchHost counts what handles take besides the file: touches of their pages,
// places in robust lists, tokens.
type touchHost struct {
	host
	touches, kept, tokens int
}

func (h *touchHost) MapPage(fd objmgr.FD, guarded bool) (objmgr.Page, error) {
	p, err := h.host.MapPage(fd, guarded)
	return touchPage{p, h}, err
}

func (h *touchHost) TryLockByte(fd objmgr.FD, pos int64, exclusive bool) (bool, error) {
	if pos >= layout.TokenByte {
		h.tokens++
	}
	return h.host.TryLockByte(fd, pos, exclusive)
}

type touchPage struct {
	objmgr.Page
	h *touchHost
}

func (p touchPage) Word(offset int) objmgr.Word { return touchWord{p.Page.Word(offset), p.h} }

func (p touchPage) Keep() (uint32, error) {
	p.h.kept++
	return p.Page.Keep()
}

type touchWord struct {
	objmgr.Word
	h *touchHost
}

func (w touchWord) Load() uint64 {
	w.h.touches++
	return w.Word.Load()
}

func (w touchWord) CompareAndSwap(old, v uint64) bool {
	w.h.touches++
	return w.Word.CompareAndSwap(old, v)
}

// TestOpenTouchesNothing: a handle that is opened and closed touches no page, which
// costs more than everything else that it does, and one that takes nothing has no
// identity.
func TestOpenTouchesNothing(t *testing.T) {
	dir := t.TempDir()
	for _, kind := range []object.Kind{object.Mutex, object.Semaphore, object.Event, object.Timer} {
		h := &touchHost{host: host{dir: dir + "/", uid: uint32(sys.Geteuid())}}
		name := object.Name{Base: "touched"}
		made, err := objmgr.New(h).CreateSync(objmgr.SyncSpec{Name: name, Kind: kind, Mode: 0o600, Max: 1, Count: 1})
		if err != nil {
			t.Fatalf("%v: %v", kind, err)
		}
		opened, err := objmgr.New(h).OpenSync(name, kind)
		if err != nil {
			t.Fatalf("%v: %v", kind, err)
		}
		if err := opened.Close(); err != nil || h.touches+h.kept+h.tokens > 0 {
			t.Errorf("%v: Close() = %v, after %d touches, %d keeps and %d tokens", kind, err, h.touches, h.kept, h.tokens)
		}
		if _, _, err := made.TryWait(); err != nil {
			t.Errorf("%v: TryWait() = %v", kind, err)
		}
		if takes := kind == object.Mutex; (h.kept > 0) != takes || (h.tokens > 0) != takes {
			t.Errorf("%v: a wait has led to %d keeps and %d tokens", kind, h.kept, h.tokens)
		}
		if err := made.Close(); err != nil {
			t.Errorf("%v: Close() = %v", kind, err)
		}
	}
}
