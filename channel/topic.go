package channel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/filemap-go/filemap/object"
)

// Topic is a handle to a topic with a name: each of its subscribers sees every
// message, in the order in which they were published. Any process that has the
// topic open may publish, and subscribe.
//
// Messages are of any length up to [Topic.Longest], empty ones too. The memory
// is fixed when the topic is created. The topic, and what is in it, lives as
// long as some process has it open. At most 120 handles and subscriptions
// can be open at a time.
//
// A process that dies while it publishes loses the message it was at, no other.
// A subscriber that dies is no longer waited for.
//
// All methods may be called from any goroutine, Close too while others are in
// progress.
type Topic struct {
	*segment
	series  series
	sending side
	peers   peers
	spin    time.Duration
}

// Slow is what a topic does about a subscriber that does not keep up.
type Slow uint8

const (
	// HoldBack has publishers wait for the slowest subscriber, so that none
	// loses a message. It is the zero Slow.
	HoldBack Slow = iota
	// Lap has publishers overwrite the oldest messages, whoever has not seen
	// them. Subscribers are told how many they lost: [Subscription.Lost].
	Lap
)

// TopicOptions are the options of [CreateTopic] and its siblings. The zero
// value stands for the defaults.
type TopicOptions struct {
	// Capacity is the size of the topic's ring in bytes, up to 4 GiB; it is
	// rounded up to a power of two. 0 is for 1 MiB. A message takes its length
	// and 16 bytes, rounded up to a multiple of 8. An existing topic keeps its
	// capacity.
	Capacity int64

	// Slow is what a new topic does about subscribers that are slow. An
	// existing one does what its creator chose.
	Slow Slow

	// Spin is how long the waits of this handle and its subscriptions watch the
	// memory before they sleep: [SpinAdaptive], [SpinNever], [SpinAlways], or a
	// time.
	Spin time.Duration

	// Security says who else may open a new topic; nil is for nobody, on
	// Windows for whom the system's default admits. An SDDL is for the mapping
	// and the objects of its creator alone.
	Security *Security
}

// CreateTopic makes a topic.
//
// Returns fs.ErrExist if a topic, or any mapping, has the name,
// object.ErrWrongKind if another object has it, fs.ErrPermission if it is
// another user's, object.ErrNoSpace if there is no memory, and fs.ErrInvalid if
// the name or an option is wrong.
func CreateTopic(name string, opts *TopicOptions) (*Topic, error) {
	t, _, err := newTopic("create", name, opts, create)
	return t, err
}

// OpenTopic opens a topic that some process has open.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// it is no topic.
func OpenTopic(name string, opts *TopicOptions) (*Topic, error) {
	t, _, err := newTopic("open", name, opts, open)
	return t, err
}

// OpenOrCreateTopic opens a topic, or makes it if there is none, and reports
// which.
func OpenOrCreateTopic(name string, opts *TopicOptions) (t *Topic, created bool, err error) {
	return newTopic("open", name, opts, openOrCreate)
}

// AwaitTopic opens a topic as soon as there is one of the name. If ctx ends
// first, the error wraps context.Cause(ctx).
func AwaitTopic(ctx context.Context, name string, opts *TopicOptions) (*Topic, error) {
	return await(ctx, name, func() (*Topic, error) { return OpenTopic(name, opts) })
}

func newTopic(op, name string, opts *TopicOptions, way way) (t *Topic, created bool, err error) {
	if opts == nil {
		opts = &TopicOptions{}
	}
	capacity, err := roundCapacity(opts.Capacity)
	if err == nil && opts.Slow > Lap {
		err = object.Explain(fs.ErrInvalid, fmt.Sprintf("Slow is %d", opts.Slow))
	}
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	seg, created, err := makeSegment(spec{
		name: name, kind: topicKind, capacity: capacity, rings: 1,
		places: placesDefault, option: uint64(opts.Slow), security: opts.Security,
	}, way)
	if err != nil {
		return nil, false, failed(op, name, err)
	}
	t = &Topic{segment: seg, spin: opts.Spin}
	if err := t.start(); err != nil {
		return nil, false, failed(op, name, errors.Join(err, seg.close()))
	}
	return t, created, nil
}

func (t *Topic) start() (err error) {
	if t.series, err = t.segment.series(); err != nil {
		return err
	}
	w := t.series.lines
	if t.sending.bell, err = t.bell("~room", &w.bells.room, &w.send.waits); err != nil {
		return err
	}
	t.sending.end = &w.send.end
	t.sending.spin.option = t.spin
	t.peers.segment = t.segment
	t.parts = append(t.parts, &t.peers)
	// Whoever had our place before may have died with the end in hand, or as a
	// subscriber that others wait for.
	return t.view.Guard(func() error {
		t.series.release(t.member.number)
		t.sending.bell.ring()
		return nil
	})
}

// series returns the series of a segment that is a topic.
func (s *segment) series() (series, error) {
	if s.shape.option > uint64(Lap) {
		return series{}, object.ErrCorrupt
	}
	r, err := s.ring(0)
	if err != nil {
		return series{}, err
	}
	places, err := s.places()
	return series{ring: r, places: places, lap: s.shape.option == uint64(Lap)}, err
}

// Name returns the topic's name with its prefix.
func (t *Topic) Name() string { return t.name }

// Capacity returns the size of the topic's ring in bytes.
func (t *Topic) Capacity() int64 { return int64(t.series.size()) }

// Longest returns the length of the longest message that the topic can take.
func (t *Topic) Longest() int { return int(t.series.longestMessage()) }

// Slow returns what the topic does about subscribers that are slow.
func (t *Topic) Slow() Slow { return Slow(t.shape.option) }

// Close gives the handle up. Waits through it end with os.ErrClosed, and a
// message that is reserved is aborted; its subscriptions stay open. With the
// last handle and subscription in any process the topic is gone. A second Close
// returns os.ErrClosed.
func (t *Topic) Close() error {
	if t.closed.Swap(true) {
		return t.failed("close", os.ErrClosed)
	}
	_ = t.view.Guard(func() error {
		t.finish()
		return nil
	})
	return t.check("close", t.segment.close())
}

// finish waits until this handle no longer has the sending end: see
// [Queue.finish].
func (t *Topic) finish() {
	for range copyPatience {
		e := loadEnd(t.sending.end)
		if e.owner() != t.member.number {
			return
		}
		if lent := t.sending.lent.Load(); lent != 0 && t.sending.lent.CompareAndSwap(lent, 0) {
			leave(t.sending.end, e.position())
			t.wakePublishers()
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// failed returns the error of an operation on the topic.
func (t *Topic) failed(op string, err error) error { return failed(op, t.name, err) }

func (t *Topic) check(op string, err error) error {
	if err != nil {
		return t.failed(op, err)
	}
	return nil
}
