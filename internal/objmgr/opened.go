package objmgr

import (
	"errors"
	"sync"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A process has one description of an object's file, with one set of locks, and
// one map of its control page, for all of its handles to the object, and gives
// them up with the last. The system keeps the locks of a file in a list that it
// walks with each new one, so with a description for each handle, n handles would
// take n² steps.

// openedObjects are the objects that a process has open by name.
type openedObjects struct {
	mu   sync.Mutex
	open map[openedKey]*Object
}

// openedKey tells apart what can't share a description. The name is part of it,
// since a file that was linked to another name is another object there.
type openedKey struct {
	id     FileID
	file   string
	writes bool
}

// errOpened ends the opening of a file that this process has open.
var errOpened = errors.New("the process has the object open")

// join returns the object that is open already, with a handle more, or nil.
func (s *openedObjects) join(key openedKey) *Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[key]
	if o != nil {
		o.joined++
	}
	return o
}

// add lets later handles share an object, whose description may write to it. Of
// an object that two goroutines have opened at the same time, there are two.
func (s *openedObjects) add(o *Object, writes bool) {
	key := openedKey{o.stat.id(), o.file, writes}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !o.Owned || s.open[key] != nil {
		return
	}
	if s.open == nil {
		s.open = make(map[openedKey]*Object)
	}
	s.open[key] = o
	o.key = key
}

// leave takes a handle away, and reports whether it was the last.
func (s *openedObjects) leave(o *Object) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.joined > 0 {
		o.joined--
		return false
	}
	if s.open[o.key] == o {
		delete(s.open, o.key)
	}
	return true
}

// tokens are those of a process's handles to one object. They follow each
// other, so that the system has one lock for all of them.
type tokens struct {
	mu   sync.Mutex
	last uint32
	live map[uint32]bool
}

// tokenAttempts bounds the search for a token that no other handle has: one
// draw collides once in four thousand million.
const tokenAttempts = 16

// takeToken returns a token for a new handle, and locks the byte that says that
// the handle lives.
func (o *Object) takeToken() (uint32, error) {
	t := &o.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	for range tokenAttempts {
		token := t.last + 1
		if token <= 1 || t.live[token] {
			token = uint32(o.m.host.Random())
		}
		if token == 0 || t.live[token] {
			continue
		}
		free, err := o.m.host.TryLockByte(o.fd, layout.TokenByte+int64(token), true)
		if err != nil {
			return 0, err
		}
		t.last = token
		if !free {
			t.last = 0 // another process is here: begin elsewhere
			continue
		}
		if t.live == nil {
			t.live = make(map[uint32]bool)
		}
		t.live[token] = true
		return token, nil
	}
	return 0, errBusy
}

// dropToken ends what takeToken began.
func (s *Sync) dropToken() {
	o, token := s.Object, s.token()
	if token == 0 {
		return
	}
	t := &o.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.live, token)
	_ = o.m.host.UnlockByte(o.fd, layout.TokenByte+int64(token))
}

// hasToken reports whether a handle of this process has a token.
func (o *Object) hasToken(token uint32) bool {
	o.tokens.mu.Lock()
	defer o.tokens.mu.Unlock()
	return o.tokens.live[token]
}

// kept is the control page of an object, in the memory of a process that has
// handles to it.
type kept struct {
	mu    sync.Mutex
	page  Page
	kind  object.Kind // what the page is of
	owner uint32      // of a mutex: see Page.Keep
}

// controlPage maps the control page of an object of a kind, or returns the one that
// is mapped.
func (o *Object) controlPage(kind object.Kind) (Page, error) {
	k := &o.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.page != nil {
		return k.page, nil
	}
	k.kind = kind
	var err error
	k.page, err = o.m.host.MapPage(o.fd, o.exposed())
	return k.page, err
}

// keepOwner returns what the state word of a mutex names this process.
func (o *Object) keepOwner() (owner uint32, err error) {
	k := &o.kept
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.owner == 0 {
		k.owner, err = k.page.Keep()
	}
	return k.owner, err
}
