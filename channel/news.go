package channel

import "sync"

// news wakes goroutines of this process that wait for a change. A goroutine asks for
// the next news, then looks, and then waits, so it misses none.
type news struct {
	mu   sync.Mutex
	next chan struct{} // nil if no goroutine has asked
}

// ask returns a channel that the next tell closes.
func (n *news) ask() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next == nil {
		n.next = make(chan struct{})
	}
	return n.next
}

// tell wakes the goroutines that have asked.
func (n *news) tell() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next != nil {
		close(n.next)
		n.next = nil
	}
}
