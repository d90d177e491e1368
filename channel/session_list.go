package channel

import (
	"errors"
	"net"
	"sync"

	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/object"
)

// sessionList are the sessions of a Listener, by the numbers that they have in its news.
type sessionList struct {
	mu      sync.Mutex
	all     map[uint32]*accepting
	wanting []*accepting // which have requests, each once
	closed  bool
}

// errManySessions is an [object.ErrNoSpace].
var errManySessions = object.Explain(object.ErrNoSpace, "too many processes have connections: 16384 is the limit")

// add takes a session, and gives it a number.
func (l *sessionList) add(a *accepting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	number := uint32(0)
	for l.all[number] != nil {
		number++
	}
	err := errManySessions
	switch {
	case l.closed:
		err = net.ErrClosed
	case number < stream.Most && a.join(number):
		l.all[number] = a
		return nil
	case number < stream.Most:
		err = ErrPeerGone
	}
	decide(a.segment, refused)
	return errors.Join(err, a.close())
}

func (l *sessionList) remove(a *accepting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all[a.number] == a {
		delete(l.all, a.number)
	}
}

// close takes no more sessions, and returns those that there are.
func (l *sessionList) close() []*accepting {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	return l.list()
}

func (l *sessionList) list() (all []*accepting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.all {
		all = append(all, a)
	}
	return all
}

// want notes that the session of a number, which may be any, has requests.
func (l *sessionList) want(number uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.all[number]; a != nil && !a.wants {
		a.wants = true
		l.wanting = append(l.wanting, a)
	}
}

// next returns a session that may have requests, or nil.
func (l *sessionList) next() *accepting {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wanting) == 0 {
		return nil
	}
	a := l.wanting[0]
	l.wanting[0] = nil
	l.wanting = l.wanting[1:]
	a.wants = false
	return a
}
