package channel

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Topic is a handle to a topic with a name: each of its subscribers receives every
// message, in the order in which they were published. Any process that has the
// topic open may publish and subscribe.
//
// Messages are of any length from 0 to [Topic.Longest]. The size of the memory is
// fixed when the topic is created. The topic and its messages live as long as a
// process has it open. Up to 120 handles and subscriptions can be open at a time.
//
// If a process dies while it publishes a message, that message is lost, and no
// other. Publishers do not wait for a subscriber that died.
//
// All methods may be called from any goroutine; Close may be called while other
// methods are in progress.
type Topic struct {
	segment   *segment.Segment
	broadcast ring.Broadcast
	sending   side
	spin      time.Duration
}

// TopicOptions are the options of [CreateTopic] and its siblings. The zero
// value has the defaults.
type TopicOptions struct {
	// Capacity is the size of a new topic's ring in bytes, up to 4 GiB. It is
	// rounded up to a power of two, and to at least 4,096. 0 means 1 MiB. A message
	// takes its length plus 16 bytes, rounded up to a multiple of 8. An existing
	// topic keeps its capacity: see [OpenOrCreateTopic].
	Capacity int64

	// Overflow says what publishers of a new topic do if a subscriber is slow:
	// [Block] or [Overwrite]. An existing topic keeps what its creator chose, as
	// [Topic.Overflow] returns it: see [OpenOrCreateTopic].
	Overflow Overflow

	// Spin is how long the waits of this handle and its subscriptions spin
	// before they sleep: [SpinAdaptive], [SpinNever], [SpinAlways], or a time.
	Spin time.Duration

	// Type is that of the messages, from [TypeOf], or nil if they have none. An
	// existing topic that has another type, or none, is an object.ErrWrongKind. With a
	// nil Type any topic can be opened.
	Type *Type

	// Security says which other users may open a new topic. nil admits none; on
	// Windows it admits those that the system's default admits. An SDDL applies
	// to the mapping and to the creator's own objects only.
	Security *Security
}

// topicOverwrites is the option in the preamble of a topic whose publishers
// overwrite messages; 0 if they wait.
const topicOverwrites = 1

// CreateTopic creates a topic.
//
// Returns fs.ErrExist if a topic or another mapping has the name,
// object.ErrWrongKind if an object of another kind has it, fs.ErrPermission if
// another user's object has it, object.ErrNoSpace if there is not enough memory,
// and fs.ErrInvalid if the name or an option is wrong.
func CreateTopic(name string, opts *TopicOptions) (*Topic, error) {
	t, _, err := newTopic("create", name, opts, segment.Create)
	return t, err
}

// OpenTopic opens a topic that a process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// the object is not a topic.
func OpenTopic(name string, opts *TopicOptions) (*Topic, error) {
	t, _, err := newTopic("open", name, opts, segment.Open)
	return t, err
}

// OpenOrCreateTopic opens a topic, or creates it if there is none, and reports
// which it did.
//
// Returns fs.ErrExist if the topic exists with another Capacity than opts asks for,
// after rounding, or if opts asks for [Overwrite] and its publishers wait. The zero
// values, 0 and [Block], ask for nothing. The other errors are those of
// [CreateTopic].
func OpenOrCreateTopic(name string, opts *TopicOptions) (t *Topic, created bool, err error) {
	return newTopic("open", name, opts, segment.OpenOrCreate)
}

// AwaitTopic waits until a topic of the name exists and opens it. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitTopic(ctx context.Context, name string, opts *TopicOptions) (*Topic, error) {
	return await(ctx, name, func() (*Topic, error) { return OpenTopic(name, opts) })
}

func newTopic(op, name string, opts *TopicOptions, way segment.Way) (t *Topic, created bool, err error) {
	if opts == nil {
		opts = &TopicOptions{}
	}
	capacity, err := segment.RoundCapacity(opts.Capacity)
	if err == nil && opts.Overflow != Block && opts.Overflow != Overwrite {
		err = opts.Overflow.unfit(segment.Topic, "Block or Overwrite")
	}
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	option := uint64(0)
	if opts.Overflow == Overwrite {
		option = topicOverwrites
	}
	seg, created, err := openSegment(segment.Spec{
		Name: name, Kind: segment.Topic, Capacity: capacity, Option: option, Security: opts.Security,
	}, way, wanted{exact: opts.Capacity != 0, messages: opts.Type})
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	t = &Topic{segment: seg, spin: opts.Spin}
	if err := t.start(); err != nil {
		return nil, false, failed(op, name, errors.Join(err, seg.Close()))
	}
	return t, created, nil
}

func (t *Topic) start() (err error) {
	if t.broadcast, err = openBroadcast(t.segment); err != nil {
		return err
	}
	b := &t.broadcast
	if t.sending.bell, err = t.segment.Bell("~room", &b.Bells.Room, &b.Send.Waits); err != nil {
		return err
	}
	t.sending.end = &b.Send.End
	t.sending.spin.Option = t.spin
	if err := t.segment.Peers.Start(b.Release); err != nil {
		return err
	}
	t.sending.bell.Ring() // publishers may have waited for the place's subscriber
	return nil
}

// openBroadcast returns the ring of a segment that is a topic.
func openBroadcast(s *segment.Segment) (ring.Broadcast, error) {
	if s.Shape.Option > topicOverwrites {
		return ring.Broadcast{}, object.ErrCorrupt
	}
	r, err := s.Ring()
	if err != nil {
		return ring.Broadcast{}, err
	}
	places, err := s.Places()
	return ring.NewBroadcast(r, places, s.Shape.Option == topicOverwrites), err
}

// Name returns the topic's name with its prefix.
func (t *Topic) Name() string { return t.segment.Name }

// Capacity returns the size of the topic's ring in bytes.
func (t *Topic) Capacity() int64 { return int64(t.broadcast.Size()) }

// Longest returns the length of the longest message that the topic can take.
func (t *Topic) Longest() int { return int(t.broadcast.Longest()) }

// Overflow returns what publishers of the topic do if a subscriber is slow.
func (t *Topic) Overflow() Overflow {
	if t.broadcast.Overwrites {
		return Overwrite
	}
	return Block
}

// Close closes the handle. Waits that use it end with os.ErrClosed, and a reserved
// message is aborted. The handle's subscriptions stay open. When the last handle
// and the last subscription in any process are closed, the topic is removed. A
// second Close returns os.ErrClosed.
func (t *Topic) Close() error {
	if t.segment.Closed.Swap(true) {
		return t.failed("close", os.ErrClosed)
	}
	_ = t.segment.View.Guard(func() error {
		t.sending.finish(t.segment.Member.Number, t.broadcast.Abort)
		return nil
	})
	return t.check("close", t.segment.Close())
}

// failed returns the error of an operation on the topic.
func (t *Topic) failed(op string, err error) error { return failed(op, t.segment.Name, err) }

func (t *Topic) check(op string, err error) error {
	if err != nil {
		return t.failed(op, err)
	}
	return nil
}
