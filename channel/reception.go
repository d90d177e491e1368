package channel

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// reception takes connections for a Listener, so that they live in its process
// before they are accepted. Each is taken by a goroutine of its own: a dialer
// may have made one that cannot be opened for a while.
type reception struct {
	closing context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup

	slots    chan struct{} // one for each connection that is being taken, or waits
	taking   sync.Mutex    // connections are ready in the order in which Dial returns
	ready    chan *Conn
	failures chan error
	news     news      // of connections and failures
	told     time.Time // when a dialer's failure was last reported; under taking
}

const (
	// shortageFirst and shortageMost are how long to wait before a connection is
	// taken again that there was no memory or no file for.
	shortageFirst = 2 * time.Millisecond
	shortageMost  = 40 * time.Millisecond

	// tellPause is how long the failures of single dialers go unreported after
	// one was reported: servers pause after an error.
	tellPause = 10 * time.Second
)

// receive begins to take connections.
func (l *Listener) receive(backlog int) {
	l.closing, l.cancel = context.WithCancel(context.Background())
	l.slots = make(chan struct{}, backlog)
	l.ready = make(chan *Conn, backlog)
	l.failures = make(chan error, 1)
	l.running.Go(func() {
		for l.enter() {
			id, err := l.q.Receive(l.closing, nil)
			if err == nil {
				l.running.Go(func() { l.take(string(id)) })
				continue
			}
			<-l.slots
			if l.closing.Err() == nil {
				l.report(err)
				pause(l.closing, shortageMost)
			}
		}
	})
}

// enter takes a slot, and reports false if the Listener is closed.
func (l *Listener) enter() bool {
	select {
	case l.slots <- struct{}{}:
		return l.closing.Err() == nil
	case <-l.closing.Done():
		return false
	}
}

// take takes the connection of an id, as soon as this process can.
func (l *Listener) take(id string) {
	for wait := shortageFirst; ; wait = min(2*wait, shortageMost) {
		err := l.tryTake(id)
		if err == nil {
			return
		}
		if !isShortage(err) {
			l.tell(err)
			break
		}
		l.report(err)
		if pause(l.closing, wait); l.closing.Err() != nil {
			break
		}
	}
	<-l.slots
}

// tryTake takes the connection of an id. It waits for no other process's lock.
func (l *Listener) tryTake(id string) error {
	seg, _, err := segment.Make(connSpec(l.q, id, l.capacity), segment.Open)
	if err != nil {
		return err
	}
	c, err := newConn(seg, Addr(l.q.segment.Name), l.spin)
	if err == nil && (seg.Member.Number != accepterPlace || seg.Shape.Capacity != l.capacity) {
		err = object.ErrCorrupt
	}
	if err != nil {
		if !isShortage(err) {
			decide(seg, refused) // the dialer looks by itself before long
		}
		return errors.Join(err, seg.Close())
	}
	if gone, err := c.tryPeer(); gone || err != nil {
		return errors.Join(ErrPeerGone, err, c.release())
	}
	c.meet()
	l.taking.Lock()
	defer l.taking.Unlock()
	if !decide(c.segment, accepted) {
		return errors.Join(ErrPeerGone, c.release())
	}
	l.ready <- c // has room: there is a slot for it
	l.news.tell()
	c.ringPeer()
	return nil
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
	l.taking.Lock()
	defer l.taking.Unlock()
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
	select {
	case c := <-l.ready:
		<-l.slots
		return c, nil
	case err := <-l.failures:
		return nil, err
	case <-l.closing.Done():
		return nil, net.ErrClosed
	case <-ctx.Done():
	}
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

// readyNow is accept without waiting.
func (l *Listener) readyNow() *Conn {
	select {
	case c := <-l.ready:
		<-l.slots
		return c
	default:
		return nil
	}
}

// endReception closes what was not accepted.
func (l *Listener) endReception() {
	l.cancel()
	l.running.Wait()
	for c := l.readyNow(); c != nil; c = l.readyNow() {
		_ = c.Close()
	}
}
