package channel

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// reception takes connections for a Listener, so that they live in its process
// before they are accepted. One goroutine takes the connections of all sessions.
// Sessions are taken by a goroutine each: a dialer may have made one that cannot be
// opened for a while.
type reception struct {
	closing context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	sessions sessionList
	bell     *waitable.Event // dialers ring it
	knocks   *stream.News    // which sessions have requests
	spin     segment.Spin
	taking   sync.Mutex  // held to take knocks and connections
	hungry   atomic.Bool // a request waits for a slot

	slots    chan struct{} // one for each connection that is being taken, or waits
	freeing  sync.Mutex    // held to tell dialers how many are free
	ready    chan *Conn
	failures chan error
	news     news       // of connections and failures
	telling  sync.Mutex // for told
	told     time.Time  // when a dialer's failure was last reported
}

const (
	// shortageFirst and shortageMost are how long to wait before a session or a
	// connection is taken again that there was no memory or no file for.
	shortageFirst = 2 * time.Millisecond
	shortageMost  = 40 * time.Millisecond

	// tellPause is how long the failures of single dialers go unreported after
	// one was reported: servers pause after an error.
	tellPause = 10 * time.Second

	// joinersMost is how many sessions are opened at a time.
	joinersMost = 32

	// doorbell follows the Listener's name in that of its bell.
	doorbell = "~doorbell"
)

// prepare makes what dialers need.
func (l *Listener) prepare(backlog int) (err error) {
	l.closing, l.cancel = context.WithCancel(context.Background())
	l.spin.Option = l.option
	l.slots = make(chan struct{}, backlog)
	l.ready = make(chan *Conn, backlog)
	l.failures = make(chan error, 1)
	l.sessions.all = make(map[uint32]*accepting)
	if l.knocks, err = knocksOf(l.q.segment.View); err != nil {
		return err
	}
	l.bell, _, err = waitable.OpenOrCreateEvent(l.q.segment.Name+doorbell, &waitable.EventOptions{Security: l.q.segment.Security})
	l.tellFree()
	return err
}

// knocksOf returns a Listener's news, which is at the end of its mapping: which of its
// sessions have requests.
func knocksOf(v *filemap.View) (*stream.News, error) {
	at, err := segment.Extra(v)
	if err != nil {
		return nil, err
	}
	return filemap.At[stream.News](v, at)
}

// receive begins to take sessions and connections.
func (l *Listener) receive() {
	joiners := make(chan struct{}, joinersMost)
	l.running.Go(func() {
		for {
			select {
			case joiners <- struct{}{}:
			case <-l.closing.Done():
				return
			}
			invitation, err := l.q.Receive(l.closing, nil)
			switch {
			case err == nil:
				l.running.Go(func() {
					l.join(invitation)
					<-joiners
				})
				continue
			case l.closing.Err() != nil:
				return
			}
			<-joiners
			l.report(err)
			pause(l.closing, shortageMost)
		}
	})
	l.running.Go(l.takeConns)
}

// join takes the session of an invitation, as soon as this process can.
func (l *Listener) join(invitation []byte) {
	for wait := shortageFirst; l.closing.Err() == nil; wait = min(2*wait, shortageMost) {
		a, err := newAccepting(l, invitation)
		if err == nil {
			err = l.sessions.add(a)
		}
		switch {
		case err == nil:
			return
		case !isShortage(err):
			l.tell(err)
			return
		}
		l.report(err)
		pause(l.closing, wait)
	}
}

// takeConns takes connections while there are slots for them.
func (l *Listener) takeConns() {
	for l.closing.Err() == nil {
		err := l.takeAsked()
		if err == nil {
			err = l.awaitKnock()
		}
		if err != nil && l.closing.Err() == nil {
			l.report(err)
			pause(l.closing, shortageMost)
		}
	}
}

// awaitKnock waits until sessions have requests, or may have.
func (l *Listener) awaitKnock() error {
	p := segment.Patience{Spin: &l.spin}
	defer p.Stop()
	for !l.hasKnocks(false) {
		if l.closing.Err() == nil && p.Watching() {
			runtime.Gosched()
			continue
		}
		p.Asleep = true
		runtime.Gosched() // goroutines that have a connection now run first: see segment.yields
		if l.hasKnocks(true) {
			break
		}
		return l.bell.Wait(l.closing)
	}
	return nil
}

// hasKnocks reports whether there are knocks, and notes which. Before it sleeps, the
// goroutine says so and looks once more.
func (l *Listener) hasKnocks(sleeps bool) (some bool) {
	l.taking.Lock()
	defer l.taking.Unlock()
	_ = l.q.segment.View.Guard(func() error {
		if sleeps {
			l.knocks.PrepareSleep()
		}
		for range l.spin.Tries() {
			if some = l.knocks.Take(l.sessions.want); some || sleeps {
				break
			}
		}
		return nil
	})
	return some
}

// takeAsked takes what was asked for until now, as far as there are slots. A goroutine that
// accepts does so, too, if nothing is ready, and then has all whose Dial has returned.
func (l *Listener) takeAsked() error {
	l.taking.Lock()
	defer l.taking.Unlock()
	if l.closing.Err() != nil {
		return nil
	}
	_ = l.q.segment.View.Guard(func() error {
		l.knocks.Take(l.sessions.want)
		return nil
	})
	return l.takeAll()
}

// takeAll takes the connections that the sessions ask for, one of each in turn. It
// returns an error if this process is short of something.
func (l *Listener) takeAll() error {
	for {
		a := l.sessions.next()
		if a == nil {
			return nil
		}
		if !l.enter() {
			l.sessions.want(a.number)
			return nil
		}
		c, more, err := a.takeNext()
		if c != nil {
			l.ready <- c // has room: there is a slot for it
			l.news.tell()
			c.session.notify(c.out.theirs, c.slot) // its Dial may wait
		} else {
			l.exit()
		}
		if more {
			l.sessions.want(a.number)
		}
		switch {
		case isShortage(err):
			return err
		case err != nil:
			l.tell(err)
		}
	}
}

// wake has the goroutine look at a session.
func (l *Listener) wake(a *accepting) {
	l.sessions.want(a.number)
	_ = l.bell.Set()
}

// enter takes a slot, if one is free. Otherwise exit wakes the goroutine.
func (l *Listener) enter() bool {
	for range 2 {
		select {
		case l.slots <- struct{}{}:
			l.tellFree()
			return true
		default:
			l.hungry.Store(true) // before the last look
		}
	}
	return false
}

// exit gives a slot back.
func (l *Listener) exit() {
	<-l.slots
	l.tellFree()
	if l.hungry.Load() && l.hungry.Swap(false) {
		_ = l.bell.Set()
	}
}

// tellFree tells dialers how many slots are free.
func (l *Listener) tellFree() {
	l.freeing.Lock()
	defer l.freeing.Unlock()
	awaited, free := false, uint64(cap(l.slots)-len(l.slots))
	_ = l.q.segment.View.Guard(func() error {
		ring.Store(&l.q.ring.Send.Free, free)
		awaited = free > 0 && stream.IsAwaited(&l.q.ring.Send.Awaited)
		return nil
	})
	if !awaited {
		return
	}
	for _, a := range l.sessions.list() {
		a.tellDials()
	}
}

// isShortage reports whether an error is about this process or this machine, and
// passes.
func isShortage(err error) bool {
	if errors.Is(err, segment.ErrCrowded) {
		return false
	}
	for _, cause := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOSPC, object.ErrNoSpace,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// tell reports why a connection is not taken, unless that is the dialer's affair:
// it has given up, or does what it should not.
func (l *Listener) tell(err error) {
	for _, cause := range []error{
		fs.ErrNotExist, ErrPeerGone, segment.ErrCrowded,
		object.ErrCorrupt, object.ErrWrongKind, object.ErrVersion, object.ErrInvalidName,
	} {
		if errors.Is(err, cause) {
			return
		}
	}
	l.telling.Lock()
	defer l.telling.Unlock()
	if l.told.IsZero() || time.Since(l.told) > tellPause {
		l.told = time.Now()
		l.report(err)
	}
}

// report has an Accept return an error.
func (l *Listener) report(err error) {
	select {
	case l.failures <- &passingError{err}:
		l.news.tell()
	default: // there is one already
	}
}

// passingError is an error after which Accept can succeed, as servers ask for it.
type passingError struct{ cause error }

func (e *passingError) Error() string   { return e.cause.Error() }
func (e *passingError) Unwrap() error   { return e.cause }
func (e *passingError) Temporary() bool { return true }
func (e *passingError) Timeout() bool   { return false }

// accept waits for a connection that was taken. Errors wait while there is one.
func (l *Listener) accept(ctx context.Context) (*Conn, error) {
	if c := l.readyNow(); c != nil {
		return c, nil
	}
	l.takeMore()
	select {
	case c := <-l.ready:
		l.exit()
		return c, nil
	case err := <-l.failures:
		return nil, err
	case <-l.closing.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
	}
	l.takeMore()
	if c := l.readyNow(); c != nil { // the last look
		return c, nil
	}
	select {
	case err := <-l.failures:
		return nil, err
	default:
		return nil, context.Cause(ctx)
	}
}

// takeMore takes what was asked for.
func (l *Listener) takeMore() {
	if err := l.takeAsked(); err != nil {
		l.report(err)
	}
}

// readyNow is accept without waiting.
func (l *Listener) readyNow() *Conn {
	select {
	case c := <-l.ready:
		l.exit()
		return c
	default:
		return nil
	}
}

// endReception closes what was not accepted.
func (l *Listener) endReception() {
	l.cancel()
	l.running.Wait()
	l.taking.Lock() // an Accept may be at it
	defer l.taking.Unlock()
	sessions := l.sessions.close()
	for _, a := range sessions {
		a.refuseAll()
	}
	for c := l.readyNow(); c != nil; c = l.readyNow() {
		_ = c.Close()
	}
	for _, a := range sessions {
		a.tick()
	}
}

func (l *Listener) isClosed() bool { return l.closing.Err() != nil }
