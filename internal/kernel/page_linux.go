package kernel

import (
	"os"
	"runtime"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

// page is a mapped control page. Before it lies a page of this process's own,
// with the node of the robust list that other processes must not reach.
type page struct {
	pages []byte // the private page and the shared one
	state *uint32

	keeper *keeper         // of a mutex
	node   *sys.RobustNode // on the keeper's list
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
	return p, nil
}

func (p *page) Word(offset int) objmgr.Word {
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
