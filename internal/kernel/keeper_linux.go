package kernel

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/sys"
)

// A keeper is a thread whose death tells of its process's. It does nothing but
// own a robust list of mutexes that the process has open, locked or not. A
// handle that locks a mutex writes the keeper's number into it, so locking has
// nothing to do with the list, and any goroutine may do it.
//
// The system stops at the first node of the list whose page is gone, because
// another user has truncated the file. The mutexes after it are then found out
// by the look that each wait takes now and then.
type keeper struct {
	tid  uint32
	mu   sync.Mutex // held to change the list
	head *sys.RobustHead
	size int
	idle atomic.Uint32 // a futex: 1 from when the list became empty until the keeper looks
}

const (
	// keeperSize is how many mutexes a keeper has at most: of a longer list, the
	// system would see 2,048.
	keeperSize = 2000

	// keeperLinger is how long a keeper stays after its last mutex, for programs
	// that open and close one again and again.
	keeperLinger = 50 * time.Millisecond
)

var keepers keeperList

type keeperList struct {
	mu      sync.Mutex
	all     []*keeper
	refused bool // the system knows no robust lists, or forbids them
}

// next returns a keeper with room for one mutex more, and counts that. It
// returns nil where there are no robust lists: before Linux 2.6.17, in an
// emulator, in a sandbox.
func (l *keeperList) next() (*keeper, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.all {
		if k.reserve() {
			return k, nil
		}
	}
	if l.refused {
		return nil, nil
	}
	k := &keeper{size: 1}
	err := k.start()
	if err == sys.ENOSYS || err == sys.EPERM {
		l.refused = true
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l.all = append(l.all, k)
	return k, nil
}

// retire takes a keeper without mutexes out of the list. It reports false if the
// keeper has got one meanwhile.
func (l *keeperList) retire(k *keeper) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size > 0 {
		return false
	}
	l.all = slices.DeleteFunc(l.all, func(other *keeper) bool { return other == k })
	return true
}

// start starts the keeper's thread, which lives until there are no mutexes left
// to keep.
func (k *keeper) start() error {
	var started sync.Mutex // see callOutside
	var err error
	started.Lock()
	outside(func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		err = k.register()
		failed := err != nil
		started.Unlock()
		if !failed {
			k.live()
		}
	})
	started.Lock()
	return err
}

func (k *keeper) register() error {
	futexOffset := os.Getpagesize() + layout.StateAt - nodeOffset
	head, err := sys.NewRobustHead(futexOffset)
	if err != nil {
		return explain(err)
	}
	if err := sys.SetRobustList(head); err != nil {
		head.Free()
		return err
	}
	k.head, k.tid = head, uint32(sys.Gettid())
	return nil
}

func (k *keeper) live() {
	idle := sys.PrivateFutex(&k.idle)
	for {
		for k.idle.Load() == 0 {
			sys.FutexWait(idle, 0, int64(time.Hour))
		}
		sys.FutexWait(idle, 1, int64(keeperLinger))
		k.idle.Store(0)
		if keepers.retire(k) {
			_ = sys.SetRobustList(nil)
			k.head.Free()
			return
		}
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
	*node.Link = node.Next
	if node.Next != k.head.End() {
		node.Next.Link = node.Link
	}
	k.size--
	empty := k.size == 0
	k.mu.Unlock()
	if empty && k.idle.CompareAndSwap(0, 1) {
		sys.FutexWake(sys.PrivateFutex(&k.idle))
	}
}
