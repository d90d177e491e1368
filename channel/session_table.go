package channel

import (
	"context"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// dialed are the sessions that this process has dialed. A further Dial of a name uses
// the session that there is.
var dialed = sessionTable{doorways: make(map[string]*doorway)}

type sessionTable struct {
	mu sync.Mutex
	// By what the system calls the Listener's name now: an environment variable may
	// change where a name leads.
	doorways map[string]*doorway
}

// doorway is the way to the Listener of a name.
type doorway struct {
	key     string
	users   int           // that wait for the session, or make it
	turn    chan struct{} // held by the one that makes it
	session *dialing
}

// enter returns a session with the Listener of a name, of which the caller is a user
// until it calls exit.
func (t *sessionTable) enter(ctx context.Context, name string) (*dialing, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, err
	}
	if kernel.InBubble() { // of testing/synctest: others can't use its channels
		return t.enterAlone(ctx, name)
	}
	w, d := t.find(kernel.NativeName(parsed))
	if d != nil {
		return d, nil
	}
	defer t.forget(w)
	if err := takeTurn(ctx, w.turn); err != nil {
		return nil, err
	}
	defer func() { <-w.turn }()
	if d := t.current(w); d != nil {
		return d, nil
	}
	d, err = newDialing(ctx, name)
	if err != nil {
		return nil, err
	}
	t.put(w, d)
	return d, nil
}

// enterAlone makes a session that no other Dial uses.
func (t *sessionTable) enterAlone(ctx context.Context, name string) (*dialing, error) {
	d, err := newDialing(ctx, name)
	if err == nil {
		d.users = 1
	}
	return d, err
}

// find returns the session of a name, or the doorway, of which the caller is then a user.
func (t *sessionTable) find(key string) (*doorway, *dialing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.doorways[key]
	if w == nil {
		w = &doorway{key: key, turn: make(chan struct{}, 1)}
		t.doorways[key] = w
	}
	if d := w.use(); d != nil {
		return w, d
	}
	w.users++
	return w, nil
}

// use returns the doorway's session if it can be used, and counts its user.
func (w *doorway) use() *dialing {
	d := w.session
	if d == nil || d.gone.Load() != nil || !d.door.isOpen() {
		return nil
	}
	d.users++
	return d
}

func (t *sessionTable) current(w *doorway) *dialing {
	t.mu.Lock()
	defer t.mu.Unlock()
	return w.use()
}

// put makes a new session the doorway's. One that was there before ends by itself.
func (t *sessionTable) put(w *doorway, d *dialing) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if w.session != nil {
		w.session.doorway = nil
	}
	w.session, d.doorway = d, w
	d.users, d.timed = 1, true
	time.AfterFunc(idlePause, func() { t.tick(d) })
}

func (t *sessionTable) forget(w *doorway) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w.users--
	t.remove(w)
}

// remove removes a doorway that nobody needs.
func (t *sessionTable) remove(w *doorway) {
	if w.users == 0 && w.session == nil {
		delete(t.doorways, w.key)
	}
}

// exit ends a use of a session.
func (t *sessionTable) exit(d *dialing) {
	t.mu.Lock()
	d.users--
	alone := d.doorway == nil && d.users == 0 && !d.timed
	t.mu.Unlock()
	if alone {
		_ = d.close()
	}
}

// tick closes a session that is not used, and what it does not need of one that is.
func (t *sessionTable) tick(d *dialing) {
	_, _ = d.tryPeer()
	d.trim()
	if t.isIdle(d) {
		_ = d.close()
		return
	}
	time.AfterFunc(idlePause, func() { t.tick(d) })
}

// isIdle reports whether a session has not been used for a while, or can't be used any
// more, and takes it out of the table.
func (t *sessionTable) isIdle(d *dialing) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	over := d.gone.Load() != nil || !d.door.isOpen()
	switch {
	case d.users > 0 || !over && d.usedSlots() > 0:
		d.idle = false
		return false
	case !over && !d.idle:
		d.idle = true
		return false
	}
	if w := d.doorway; w != nil {
		w.session, d.doorway = nil, nil
		t.remove(w)
	}
	return true
}

func (d *dialing) usedSlots() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.slots.Used()
}
