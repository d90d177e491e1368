package objmgr

import (
	"sync"

	"github.com/filemap-go/filemap/object"
)

// watch lets any number of waiters share one watch of the directory, which is
// on while there is one of them.
type watch struct {
	mu      sync.Mutex
	waiters map[*waiter]struct{}
	stop    func()
}

type waiter struct {
	file    string
	changed chan struct{}
}

// Watch returns a channel that gets a value after an object of the name may
// have come to be. The caller calls stop when it no longer reads.
func (m *Manager) Watch(name object.Name) (changed <-chan struct{}, stop func(), err error) {
	w := &m.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiters) == 0 {
		if w.stop, err = m.host.Watch(w.notify); err != nil {
			return nil, nil, err
		}
		w.waiters = make(map[*waiter]struct{})
	}
	one := &waiter{m.FileName(name), make(chan struct{}, 1)}
	w.waiters[one] = struct{}{}
	return one.changed, func() { w.remove(one) }, nil
}

func (w *watch) remove(one *waiter) {
	w.mu.Lock()
	delete(w.waiters, one)
	var stop func()
	if len(w.waiters) == 0 {
		stop = w.stop
	}
	w.mu.Unlock()
	if stop != nil {
		stop()
	}
}

func (w *watch) notify(file string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.waiters {
		if file != "" && file != one.file {
			continue
		}
		select {
		case one.changed <- struct{}{}:
		default: // it has yet to look at the last one
		}
	}
}
