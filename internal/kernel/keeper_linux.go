package kernel

import (
	"os"
	"runtime"
	"sync"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/sys"
)

// A keeper is a thread whose death tells of its process's. It does nothing but
// own a robust list of the mutexes that the process has open, locked or not.
// Who locks one writes the keeper's number into it, so locking has nothing to
// do with the list, and any goroutine may do it.
type keeper struct {
	tid  uint32
	mu   sync.Mutex // held to change the list
	head *sys.RobustHead
	size int
}

// keeperSize is how many mutexes a keeper has at the most: of a longer list,
// the system would see 2,048.
const keeperSize = 2000

var keepers keeperList

type keeperList struct {
	mu  sync.Mutex
	all []*keeper
}

// next returns a keeper with room for one mutex more, and counts that.
func (l *keeperList) next() (*keeper, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.all {
		if k.reserve() {
			return k, nil
		}
	}
	k := &keeper{size: 1}
	started := make(chan error)
	go k.live(started)
	if err := <-started; err != nil {
		return nil, err
	}
	l.all = append(l.all, k)
	return k, nil
}

// live is the keeper's thread.
func (k *keeper) live(started chan<- error) {
	runtime.LockOSThread()
	futexOffset := os.Getpagesize() + layout.StateAt - nodeOffset
	head, err := sys.NewRobustHead(int64(futexOffset))
	if err == nil {
		err = sys.SetRobustList(head)
	}
	k.head, k.tid = head, uint32(sys.Gettid())
	started <- err
	if err == nil {
		select {} // as long as the process
	}
}

func (k *keeper) reserve() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size == keeperSize {
		return false
	}
	k.size++
	return true
}

// The system reads the list when the process is killed, which may be at any
// instant: each store leaves a list that ends.

func (k *keeper) add(node *sys.RobustNode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := k.head.First
	node.Next, node.Link = first, &k.head.First
	k.head.First = node
	if first != k.head.End() {
		first.Link = &node.Next
	}
}

func (k *keeper) remove(node *sys.RobustNode) {
	k.mu.Lock()
	defer k.mu.Unlock()
	*node.Link = node.Next
	if node.Next != k.head.End() {
		node.Next.Link = node.Link
	}
	k.size--
}
