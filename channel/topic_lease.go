package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// TopicLease is a message in the topic's own memory, for reading it in place. The
// subscription receives nothing else until it is released.
//
// If the topic's [Overflow] is Block, publishers do not overwrite the message, and
// wait for the subscription as if it had not received it. If it is Overwrite, they may
// overwrite the message at any time: what has been read is void unless Release
// returns nil.
type TopicLease struct {
	s        *Subscription
	serial   uint64
	position uint64
	bytes    []byte
}

// Next waits for the next message, as [Subscription.Receive] does, and leases it.
//
// Receiving another message before releasing the lease waits for that.
func (s *Subscription) Next(ctx context.Context) (TopicLease, error) {
	l, a, err := s.tryNext(s.taking.spin.Tries())
	if a == ring.Done {
		return l, nil
	}
	err = s.receiveLater(ctx, a, err, func(tries int) (a ring.Attempt, err error) {
		l, a, err = s.tryNext(tries)
		return a, err
	})
	return l, err
}

func (s *Subscription) tryNext(tries int) (l TopicLease, a ring.Attempt, err error) {
	a, err = s.try(tries, func() (ring.Attempt, error) {
		position, n, a, err := s.cursor.Find()
		if a == ring.Done {
			s.leased = true
			s.leases++
			l = TopicLease{s, s.leases, position, s.cursor.Message(position, n)}
		}
		return a, err
	})
	return l, a, err
}

// Bytes returns the message, which must not be changed. Accesses to it are not
// checked: an access after the subscription is closed crashes the program, as with
// [filemap.View.Bytes]. The bytes must not be accessed after Release.
func (l TopicLease) Bytes() []byte { return l.bytes }

// Release removes the message from the subscription.
//
// Returns [ErrOverwritten] if publishers have overwritten the message before that:
// what has been read is void, and the message counts as lost. Returns os.ErrClosed
// if the lease was released before, or the subscription was closed.
func (l TopicLease) Release() error {
	if l.s == nil {
		return failed("release", "", os.ErrClosed)
	}
	return l.s.check("release", l.s.releaseLease(l))
}

func (s *Subscription) releaseLease(l TopicLease) error {
	s.receiving.Lock()
	defer s.receiving.Unlock()
	if !s.leased || l.serial != s.leases {
		return os.ErrClosed
	}
	s.leased = false
	defer s.wakeNext()
	return s.segment.View.Guard(func() error {
		intact, err := s.cursor.PassLeased(l.position, uint64(len(l.bytes)))
		s.wakePublisher()
		if err == nil && !intact {
			err = ErrOverwritten
		}
		return err
	})
}
