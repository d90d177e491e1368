package kernel

import (
	"sync"

	"github.com/filemap-go/filemap/internal/sys"
)

// pairs are pages of this process's own, two by two. Of a pair that is in use, a
// control page is mapped over the second. They are mapped many at a time, and
// used again, so that a page is mapped by one system call and parted by one.
var pairs pairPool

type pairPool struct {
	mu   sync.Mutex
	free [][]byte
}

// pairsAtOnce is how many the pool maps when it has none.
const pairsAtOnce = 16

// take returns a pair of pages of a size each, which are zeros.
func (p *pairPool) take(size int) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.free) == 0 {
		pages, err := sys.MmapAnonymous(pairsAtOnce * 2 * size)
		if err != nil {
			return nil, err
		}
		for ; len(pages) > 0; pages = pages[2*size:] {
			p.free = append(p.free, pages[:2*size:2*size])
		}
	}
	last := len(p.free) - 1
	pair := p.free[last]
	p.free = p.free[:last]
	return pair, nil
}

// give takes back a pair, which is zeros.
func (p *pairPool) give(pair []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, pair)
}
