package kernel

import (
	"os"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// page is a mapped control page. Before it lies a page of this process's own,
// with the node of the robust list that other processes must not reach.
//
// Word is the only way to the shared page: everything else that touches it is
// the system, which does not crash where the page is gone.
type page struct {
	pages []byte // the private page and the shared one
	state objmgr.Word
	futex sys.Futex // of the state

	keeper *keeper         // of a mutex
	node   *sys.RobustNode // on the keeper's list

	// guarded is the shared page of an object that other users may truncate: a
	// touch then fails instead of crashing this process. Guarding costs as much
	// as the operations themselves.
	guarded *mem.Region
	gone    atomic.Bool
}

// nodeOffset is where the node lies in the private page.
const nodeOffset = 0

func (h host) MapPage(fd objmgr.FD, guarded bool) (objmgr.Page, error) {
	size := os.Getpagesize()
	pages, err := withRoom(func() ([]byte, error) { return mapPage(int(fd), size) })
	if err != nil {
		return nil, err
	}
	p := &page{pages: pages}
	p.futex = sys.SharedFutex(sys.Word64(pages, size+layout.StateAt))
	if guarded {
		p.guarded = mem.NewRegion(mem.Spec{Mapped: pages[size : size+layout.ControlSize]})
	}
	p.state = p.Word(layout.StateAt)
	return p, nil
}

func mapPage(fd, size int) ([]byte, error) {
	pages, err := pairs.take(size)
	if err != nil {
		return nil, err
	}
	if err := sys.MmapOver(pages[size:], fd); err != nil {
		// Before Linux 6.12 the second page may be gone now, and its address another
		// map's. So the pair is not used again.
		_ = sys.Munmap(pages[:size])
		return nil, err
	}
	return pages, nil
}

func (p *page) Word(offset int) objmgr.Word {
	if p.guarded != nil {
		word, _ := p.guarded.Word64(int64(offset)) // all offsets are in the page
		return guardedWord{p, word}
	}
	return sys.Word64(p.pages, len(p.pages)/2+offset)
}

// low returns the half of the state that is the futex.
func (p *page) low() uint32 { return uint32(p.state.Load()) }

func (p *page) Wake() { sys.FutexWake(p.futex) }

func (p *page) AddOneAndWake(offset int) {
	word := sys.Word64(p.pages, len(p.pages)/2+offset)
	if sys.FutexAddOneAndWake(sys.SharedFutex(word)) != nil {
		p.gone.Store(true)
	}
}

func (p *page) Keep() (owner uint32, err error) {
	if p.keeper, err = keepers.next(); err != nil {
		return 0, err
	}
	if p.keeper == nil {
		return layout.OwnerUnknown, nil
	}
	p.node = sys.NodeAt(p.pages, nodeOffset)
	p.keeper.add(p.node)
	return p.keeper.tid, nil
}

// Release implements objmgr.Page. The pages become private memory, under an
// operation in flight too; once there is none, they are used for another object.
// Those of several released pages are one map, so the system's limit on maps
// bounds what is open, not what has been closed.
func (p *page) Release() {
	if p.keeper != nil {
		p.keeper.remove(p.node)
	}
	pages, again := p.pages, pairs.give
	if sys.Discard(pages) != nil {
		again = func(pages []byte) { _ = sys.Munmap(pages) } // they stay as they are until then
	}
	mem.WhenUnreachable(p, func() { again(pages) })
}

// Err implements objmgr.Page.
func (p *page) Err() error {
	if p.gone.Load() {
		return object.ErrFault
	}
	return nil
}

// guardedWord is a word of a page that may go away.
type guardedWord struct {
	page *page
	word mem.Word[uint64]
}

func (w guardedWord) note(err error) {
	if err != nil {
		w.page.gone.Store(true)
	}
}

func (w guardedWord) Load() uint64 {
	v, err := w.word.Load()
	w.note(err)
	return v
}

func (w guardedWord) Store(v uint64) { w.note(w.word.Store(v)) }

func (w guardedWord) CompareAndSwap(old, v uint64) bool {
	swapped, err := w.word.CompareAndSwap(old, v)
	w.note(err)
	return swapped
}
