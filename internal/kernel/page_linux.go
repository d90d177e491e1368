package kernel

import (
	"os"
	"runtime"
	"sync/atomic"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// page is a mapped control page. Before it lies a page of this process's own,
// with the node of the robust list that other processes must not reach.
type page struct {
	pages []byte // the private page and the shared one
	state *uint32

	keeper *keeper         // of a mutex
	node   *sys.RobustNode // on the keeper's list

	// guarded is the shared page of an object that other users may write to,
	// and so truncate: a touch then fails instead of crashing this process.
	// Guarding costs as much as the operations themselves; whoever runs as the
	// same user could stop the process anyway.
	guarded *mem.Region
	gone    atomic.Bool
}

// nodeOffset is where the node lies in the private page.
const nodeOffset = 0

func (h host) MapPage(fd objmgr.FD) (objmgr.Page, error) {
	size := os.Getpagesize()
	pages, err := sys.MmapAnonymous(2 * size)
	if err != nil {
		return nil, err
	}
	if err := sys.MmapOver(pages[size:], int(fd)); err != nil {
		_ = sys.Munmap(pages)
		return nil, explain(err)
	}
	p := &page{pages: pages}
	p.state = sys.LowHalf(sys.Word64(pages, size+layout.StateAt))
	stat, err := sys.Fstat(int(fd))
	if err != nil {
		_ = sys.Munmap(pages)
		return nil, err
	}
	if stat.Mode&(layout.ModeGroupWrite|layout.ModeOtherWrite) != 0 {
		p.guarded = mem.NewRegion(mem.Spec{Mapped: pages[size : size+layout.ControlSize]})
	}
	return p, nil
}

func (p *page) Word(offset int) objmgr.Word {
	if p.guarded != nil {
		word, _ := p.guarded.Word64(int64(offset)) // all offsets are in the page
		return guardedWord{p, word}
	}
	return sys.Word64(p.pages, len(p.pages)/2+offset)
}

func (p *page) Wake() { sys.FutexWake(p.state, false) }

func (p *page) Keep() (owner uint32, err error) {
	if p.keeper, err = keepers.next(); err != nil {
		return 0, err
	}
	p.node = sys.NodeAt(p.pages, nodeOffset)
	p.keeper.add(p.node)
	return p.keeper.tid, nil
}

func (p *page) Release() {
	if p.keeper != nil {
		p.keeper.remove(p.node)
	}
	runtime.AddCleanup(p, func(pages []byte) { _ = sys.Munmap(pages) }, p.pages)
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
