package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Subscription is one subscriber of a topic. It receives each message that is
// published after it began, once.
//
// It keeps the topic open, even when the handle that it came from is closed. If
// its process dies, publishers notice when they wait for it.
//
// All methods may be called from any goroutine; Close may be called while other
// methods are in progress. If several goroutines receive, each message goes to one
// of them.
type Subscription struct {
	segment   *segment.Segment
	receiving sync.Mutex // for the cursor, except its place, and the lease
	cursor    *ring.Cursor
	leases    uint64 // how many leases there were
	leased    bool   // the last of them has not ended
	taking    side
	room      *segment.Bell
}

// SubscribeOptions are the options of [Topic.Subscribe]. The zero value has the
// defaults.
type SubscribeOptions struct {
	// Last is how many earlier messages the subscription receives first, if they
	// have not been overwritten: the topic keeps as many as fit into its ring,
	// even if all subscribers have received them.
	Last int
}

// Subscribe returns a new subscription. It receives the messages that are published
// from now on, and earlier ones as the options say.
//
// Returns object.ErrNoSpace if the topic is open too many times, and
// fs.ErrInvalid if an option is wrong.
func (t *Topic) Subscribe(opts *SubscribeOptions) (*Subscription, error) {
	if opts == nil {
		opts = &SubscribeOptions{}
	}
	if opts.Last < 0 {
		err := object.Explain(fs.ErrInvalid, fmt.Sprintf("Last is %d: it must not be negative", opts.Last))
		return nil, t.failed("subscribe", err)
	}
	if t.segment.Closed.Load() {
		return nil, t.failed("subscribe", os.ErrClosed)
	}
	seg, _, err := segment.Make(segment.Spec{
		Name: t.segment.Name, Kind: segment.Topic, Security: t.segment.Security,
	}, segment.Open)
	if err != nil {
		return nil, t.failed("subscribe", err)
	}
	s := &Subscription{segment: seg}
	s.taking.spin.Option = t.spin
	if err := s.start(uint64(opts.Last)); err != nil {
		return nil, t.failed("subscribe", errors.Join(err, seg.Close()))
	}
	return s, nil
}

func (s *Subscription) start(last uint64) error {
	broadcast, err := openBroadcast(s.segment)
	if err != nil {
		return err
	}
	s.cursor = broadcast.Cursor(s.segment.Member.Number)
	s.taking.bell, err = s.segment.Bell(segment.DataBell(s.segment.Member.Number), &broadcast.Bells.Data, &broadcast.Receive.Waits)
	if err != nil {
		return err
	}
	if s.room, err = s.segment.Bell("~room", &broadcast.Bells.Room, &broadcast.Send.Waits); err != nil {
		return err
	}
	if err := s.segment.Peers.Start(broadcast.Release); err != nil {
		return err
	}
	s.room.Ring() // see Topic.start
	return s.segment.View.Guard(func() error { return s.cursor.Join(last) })
}

// Name returns the topic's name with its prefix.
func (s *Subscription) Name() string { return s.segment.Name }

// Receive waits for the next message and returns it in buffer, or in a longer
// buffer if that is too short. If ctx has ended, Receive returns a message that is
// there; if there is none, the error wraps context.Cause(ctx).
//
// If the topic's [Overflow] is Overwrite, publishers may have overwritten messages before
// this subscriber received them. Receive then returns the oldest that is left,
// and [Subscription.Lost] grows by the number of messages lost.
//
// Returns object.ErrCorrupt if another process has corrupted the topic's memory.
func (s *Subscription) Receive(ctx context.Context, buffer []byte) ([]byte, error) {
	message, a, err := s.tryReceive(buffer, s.taking.spin.Tries())
	if a == ring.Done {
		return message, nil
	}
	err = s.receiveLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		message, a, err = s.tryReceive(buffer, tries)
		return a, err
	})
	return message, err
}

// receiveLater tries again and again after a first attempt that was not done.
func (s *Subscription) receiveLater(
	ctx context.Context, a ring.Attempt, err error, try func(tries int) (ring.Attempt, error),
) error {
	p := s.taking.patience()
	defer s.stop(&p)
	for err == nil && a != ring.Done {
		if err = s.segment.Peers.Wait(ctx, &p, a); err == nil {
			a, err = try(s.taking.spin.Tries())
		}
	}
	return s.check("receive", err)
}

// stop ends a wait. A publisher's bell wakes one of the goroutines that wait
// here, so that one wakes the next.
func (s *Subscription) stop(p *segment.Patience) {
	p.Stop()
	if p.Asleep {
		s.wakeNext()
	}
}

func (s *Subscription) wakeNext() {
	s.taking.bell.RingNext()
}

// TryReceive is [Subscription.Receive] without waiting. It reports false if
// there is no message, or the message is leased.
func (s *Subscription) TryReceive(buffer []byte) (message []byte, ok bool, err error) {
	message, a, err := s.tryReceive(buffer, 1)
	return message, a == ring.Done, s.check("receive", err)
}

// tryReceive reads the next message if there is one within so many tries.
func (s *Subscription) tryReceive(buffer []byte, tries int) (message []byte, a ring.Attempt, err error) {
	a, err = s.try(tries, func() (a ring.Attempt, err error) {
		message, a, err = s.cursor.Next(buffer)
		return a, err
	})
	if err != nil {
		return nil, ring.Empty, err
	}
	return message, a, nil
}

// try tries so many times to find a message, unless the one at the cursor is leased.
func (s *Subscription) try(tries int, once func() (ring.Attempt, error)) (a ring.Attempt, err error) {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	switch {
	case s.segment.Closed.Load():
		return ring.Empty, os.ErrClosed
	case s.leased:
		return ring.Taken.By(s.segment.Member.Number), nil
	}
	err = s.segment.View.Guard(func() (err error) {
		for {
			a, err = once()
			if tries--; tries <= 0 || a.Result() != ring.Empty || err != nil {
				break
			}
		}
		s.wakePublisher()
		return err
	})
	return a, err
}

func (s *Subscription) wakePublisher() {
	if s.cursor.Wanted {
		s.cursor.Wanted = false
		s.room.Ring()
	}
}

// Lost returns how many messages were overwritten before this subscriber received
// them. It grows when the subscriber receives the next message after them.
func (s *Subscription) Lost() uint64 {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	return s.cursor.Lost
}

// Close ends the subscription and its lease: publishers no longer wait for it. Waits
// that use it end with os.ErrClosed. A second Close returns os.ErrClosed.
func (s *Subscription) Close() error {
	if s.segment.Closed.Swap(true) {
		return s.failed("close", os.ErrClosed)
	}
	s.receiving.Lock()
	s.leased = false
	_ = s.segment.View.Guard(func() error {
		s.cursor.Wanted = s.segment.Member.Place.Unsubscribe() || s.cursor.Wanted
		s.wakePublisher()
		return nil
	})
	s.receiving.Unlock()
	return s.check("close", s.segment.Close())
}

func (s *Subscription) failed(op string, err error) error { return failed(op, s.segment.Name, err) }

func (s *Subscription) check(op string, err error) error {
	if err != nil {
		return s.failed(op, err)
	}
	return nil
}
