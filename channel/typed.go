package channel

import (
	"context"
	"errors"
	"fmt"

	"github.com/filemap-go/filemap/object"
)

// checkSize returns an error if a message cannot be a T. Only a program that opened
// the channel without its type can have sent it.
func checkSize[T any](message []byte) error {
	if len(message) != sizeOf[T]() {
		return object.Explain(object.ErrCorrupt, fmt.Sprintf(
			"the message has %d bytes: a value has %d", len(message), sizeOf[T]()))
	}
	return nil
}

// TypedQueue is a [Queue] whose messages are values of type T. Its other methods are
// those of the Queue.
type TypedQueue[T any] struct{ *Queue }

// NewTypedQueue returns a handle for values of type T. The queue must have been
// created with QueueOptions.Type being [TypeOf] T.
//
// Returns object.ErrWrongKind if the queue's messages have another type or none: the
// error tells both.
func NewTypedQueue[T any](q *Queue) (TypedQueue[T], error) {
	return TypedQueue[T]{q}, q.check("open", TypeOf[T]().matches(q.segment.Shape.Type))
}

// Send is [Queue.Send] of a value.
func (q TypedQueue[T]) Send(ctx context.Context, value *T) error {
	return q.Queue.Send(ctx, bytesOf(value))
}

// TrySend is [Queue.TrySend] of a value.
func (q TypedQueue[T]) TrySend(value *T) error { return q.Queue.TrySend(bytesOf(value)) }

// Receive is [Queue.Receive] into a value. If there is an error, value has undefined
// contents.
//
// Returns object.ErrCorrupt if the message is not of the value's size; it is removed.
func (q TypedQueue[T]) Receive(ctx context.Context, value *T) error {
	message, err := q.Queue.Receive(ctx, bytesOf(value))
	if err != nil {
		return err
	}
	return q.check("receive", checkSize[T](message))
}

// TryReceive is [Queue.TryReceive] into a value.
func (q TypedQueue[T]) TryReceive(value *T) (ok bool, err error) {
	message, ok, err := q.Queue.TryReceive(bytesOf(value))
	if ok && err == nil {
		err = q.check("receive", checkSize[T](message))
	}
	return ok && err == nil, err
}

// TypedDraft is a [Draft] of a value.
type TypedDraft[T any] struct{ draft Draft }

// Reserve is [Queue.Reserve] of room for a value.
func (q TypedQueue[T]) Reserve(ctx context.Context) (TypedDraft[T], error) {
	draft, err := q.Queue.Reserve(ctx, sizeOf[T]())
	return TypedDraft[T]{draft}, err
}

// Value returns where to write the value: see [Draft.Bytes].
func (d TypedDraft[T]) Value() *T { return valueIn[T](d.draft.Bytes()) }

// Commit sends the value.
func (d TypedDraft[T]) Commit() error { return d.draft.Commit(sizeOf[T]()) }

// Abort gives the room back.
func (d TypedDraft[T]) Abort() error { return d.draft.Abort() }

// TypedLease is a [Lease] of a value.
type TypedLease[T any] struct{ lease Lease }

// Next is [Queue.Next] for a value. The errors are those of [TypedQueue.Receive].
func (q TypedQueue[T]) Next(ctx context.Context) (TypedLease[T], error) {
	lease, err := q.Queue.Next(ctx)
	if err != nil {
		return TypedLease[T]{}, err
	}
	if err := checkSize[T](lease.Bytes()); err != nil {
		_ = lease.Release()
		return TypedLease[T]{}, q.failed("receive", err)
	}
	return TypedLease[T]{lease}, nil
}

// Value returns the value: see [Lease.Bytes].
func (l TypedLease[T]) Value() *T { return valueIn[T](l.lease.Bytes()) }

// Release removes the value from the queue.
func (l TypedLease[T]) Release() error { return l.lease.Release() }

// Return leaves the value for the next receiver.
func (l TypedLease[T]) Return() error { return l.lease.Return() }

// TypedTaken is a [Taken] of a value. Its other methods are those of the Taken.
type TypedTaken[T any] struct{ Taken }

// Take is [Queue.Take] of a value. The errors are also those of [TypedQueue.Receive].
func (q TypedQueue[T]) Take(ctx context.Context) (TypedTaken[T], error) {
	taken, err := q.Queue.Take(ctx)
	if err != nil {
		return TypedTaken[T]{}, err
	}
	return typedTaken[T](taken)
}

// TryTake is [Queue.TryTake] of a value. The errors are also those of
// [TypedQueue.Receive].
func (q TypedQueue[T]) TryTake() (t TypedTaken[T], ok bool, err error) {
	taken, ok, err := q.Queue.TryTake()
	if ok {
		t, err = typedTaken[T](taken)
	}
	return t, ok && err == nil, err
}

// typedTaken ends a message that is not a value.
func typedTaken[T any](t Taken) (TypedTaken[T], error) {
	if err := checkSize[T](t.Bytes()); err != nil {
		return TypedTaken[T]{}, errors.Join(t.q.failed("receive", err), t.Done())
	}
	return TypedTaken[T]{t}, nil
}

// Value returns the value: see [Taken.Bytes].
func (t TypedTaken[T]) Value() *T { return valueIn[T](t.Bytes()) }

// TypedTopic is a [Topic] whose messages are values of type T. Its other methods are
// those of the Topic.
type TypedTopic[T any] struct{ *Topic }

// NewTypedTopic is [NewTypedQueue] for a topic.
func NewTypedTopic[T any](t *Topic) (TypedTopic[T], error) {
	return TypedTopic[T]{t}, t.check("open", TypeOf[T]().matches(t.segment.Shape.Type))
}

// Publish is [Topic.Publish] of a value.
func (t TypedTopic[T]) Publish(ctx context.Context, value *T) error {
	return t.Topic.Publish(ctx, bytesOf(value))
}

// TryPublish is [Topic.TryPublish] of a value.
func (t TypedTopic[T]) TryPublish(value *T) error { return t.Topic.TryPublish(bytesOf(value)) }

// TypedTopicDraft is a [TopicDraft] of a value.
type TypedTopicDraft[T any] struct{ draft TopicDraft }

// Reserve is [Topic.Reserve] of room for a value.
func (t TypedTopic[T]) Reserve(ctx context.Context) (TypedTopicDraft[T], error) {
	draft, err := t.Topic.Reserve(ctx, sizeOf[T]())
	return TypedTopicDraft[T]{draft}, err
}

// Value returns where to write the value: see [TopicDraft.Bytes].
func (d TypedTopicDraft[T]) Value() *T { return valueIn[T](d.draft.Bytes()) }

// Commit publishes the value.
func (d TypedTopicDraft[T]) Commit() error { return d.draft.Commit(sizeOf[T]()) }

// Abort gives the room back.
func (d TypedTopicDraft[T]) Abort() error { return d.draft.Abort() }

// TypedSubscription is a [Subscription] of a [TypedTopic].
type TypedSubscription[T any] struct{ *Subscription }

// Subscribe is [Topic.Subscribe].
func (t TypedTopic[T]) Subscribe(opts *SubscribeOptions) (TypedSubscription[T], error) {
	s, err := t.Topic.Subscribe(opts)
	return TypedSubscription[T]{s}, err
}

// Receive is [Subscription.Receive] into a value. The errors are also those of
// [TypedQueue.Receive].
func (s TypedSubscription[T]) Receive(ctx context.Context, value *T) error {
	message, err := s.Subscription.Receive(ctx, bytesOf(value))
	if err != nil {
		return err
	}
	return s.check("receive", checkSize[T](message))
}

// TryReceive is [Subscription.TryReceive] into a value.
func (s TypedSubscription[T]) TryReceive(value *T) (ok bool, err error) {
	message, ok, err := s.Subscription.TryReceive(bytesOf(value))
	if ok && err == nil {
		err = s.check("receive", checkSize[T](message))
	}
	return ok && err == nil, err
}

// TypedLatest is a [Latest] of a value of type T. Its other methods are those of the
// Latest.
type TypedLatest[T any] struct{ *Latest }

// NewTypedLatest is [NewTypedQueue] for a register. The register must have been
// created with the size of a T, which [Type.Size] returns.
func NewTypedLatest[T any](l *Latest) (TypedLatest[T], error) {
	t := TypeOf[T]()
	err := t.matches(l.segment.Shape.Type)
	if err == nil && l.Size() != t.Size() {
		err = object.ErrCorrupt
	}
	return TypedLatest[T]{l}, l.check("open", err)
}

// Write is [Latest.Write] of a value.
func (l TypedLatest[T]) Write(value *T) error { return l.Latest.Write(bytesOf(value)) }

// Read is [Latest.Read] into a value.
func (l TypedLatest[T]) Read(value *T) (version uint64, err error) {
	return l.Latest.Read(bytesOf(value))
}

// Wait is [Latest.Wait] into a value.
func (l TypedLatest[T]) Wait(ctx context.Context, after uint64, value *T) (version uint64, err error) {
	return l.Latest.Wait(ctx, after, bytesOf(value))
}
