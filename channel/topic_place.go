package channel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// TopicDraft is room for a message in the topic's own memory, for writing the
// message in place. No other publisher can publish until it is committed or
// aborted, so do that soon.
type TopicDraft struct {
	t        *Topic
	position uint64
	bytes    []byte
}

// Reserve reserves room for a message of up to length bytes. It waits for room as
// [Topic.Publish] does.
//
// Reserving a second message before ending the first deadlocks.
func (t *Topic) Reserve(ctx context.Context, length int) (TopicDraft, error) {
	d, a, err := t.tryReserve(length, false)
	if a == ring.Done {
		return d, nil
	}
	err = t.publishLater(ctx, a, err, func(hurry bool) (a ring.Attempt, err error) {
		d, a, err = t.tryReserve(length, hurry)
		return a, err
	})
	return d, err
}

func (t *Topic) tryReserve(length int, hurry bool) (d TopicDraft, a ring.Attempt, err error) {
	if length < 0 {
		return TopicDraft{}, ring.Empty, negative(length)
	}
	err = t.segment.View.Guard(func() (err error) {
		var position uint64
		position, a, err = t.reserve(length, hurry)
		if a == ring.Done {
			t.sending.onLoan.Store(position + 1)
			d = TopicDraft{t, position, t.broadcast.Message(position, uint64(length))}
		}
		return err
	})
	return d, a, err
}

// Bytes returns the reserved bytes. Accesses to them are not checked: an access
// after the topic's handle is closed crashes the program, as with
// [filemap.View.Bytes]. Their initial values are undefined.
func (d TopicDraft) Bytes() []byte { return d.bytes }

// Commit publishes the first length bytes.
//
// Returns object.ErrRange if length is more than was reserved, and os.ErrClosed if
// the draft was committed or aborted before, or the topic's handle was closed.
func (d TopicDraft) Commit(length int) error {
	if length < 0 || length > len(d.bytes) {
		return d.failed("commit", beyondDraft(length, len(d.bytes)))
	}
	var asleep ring.Sleepers
	err := d.finish("commit", func() error {
		s := &d.t.broadcast
		asleep = d.t.published(s.FinishInPlace(d.position, uint64(length)))
		return nil
	})
	if err == nil {
		d.t.segment.Peers.Wake(asleep)
	}
	return err
}

// Abort gives the room back.
func (d TopicDraft) Abort() error {
	return d.finish("abort", func() error {
		d.t.broadcast.Abort(d.position)
		d.t.sending.bell.Notify()
		return nil
	})
}

func (d TopicDraft) finish(op string, f func() error) error {
	if d.t == nil || !d.t.sending.onLoan.CompareAndSwap(d.position+1, 0) {
		return d.failed(op, os.ErrClosed)
	}
	if err := d.t.segment.View.Guard(f); err != nil {
		return d.failed(op, err)
	}
	return nil
}

func (d TopicDraft) failed(op string, err error) error {
	if d.t == nil {
		return failed(op, "", err)
	}
	return d.t.failed(op, err)
}
