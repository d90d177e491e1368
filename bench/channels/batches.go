package channels

import (
	"errors"

	"github.com/filemap-go/filemap/channel"
)

// batches sends and receives many messages at a time. What waits to be sent goes before
// anything is received, and an answer goes at once.
type batches struct {
	*queues
	out     [][]byte
	arrived [][]byte // of memory
	memory  []byte
	next    int
	answers bool // something was received since the last message was sent
}

const batchMost = 64

func openBatches(e end, name string) (messenger, error) {
	q, err := newQueues(e, name, benchRing, channel.SpinAdaptive)
	return &batches{queues: q}, err
}

func (b *batches) Send(p []byte) error {
	if b.answers {
		b.answers = false
		return b.queues.Send(p)
	}
	n := len(b.out)
	if n == cap(b.out) {
		b.out = append(b.out, nil)
	} else {
		b.out = b.out[:n+1]
	}
	if len(b.out[n]) != len(p) {
		b.out[n] = append(b.out[n][:0], p...)
	}
	copy(b.out[n], p[:min(len(p), touched)]) // the rest is as before
	if len(b.out) < batchMost {
		return nil
	}
	return b.flush()
}

func (b *batches) flush() error {
	_, err := b.queues.out.SendBatch(background, b.out)
	b.out = b.out[:0]
	return err
}

var errEnough = errors.New("enough at a time")

func (b *batches) Receive([]byte) ([]byte, error) {
	if len(b.out) > 0 {
		if err := b.flush(); err != nil {
			return nil, err
		}
	}
	if b.next == len(b.arrived) {
		b.next, b.arrived, b.memory = 0, b.arrived[:0], b.memory[:0]
		_, err := b.in.Drain(background, b.take)
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
	}
	b.answers = true
	b.next++
	return b.arrived[b.next-1], nil
}

func (b *batches) take(p []byte) error {
	if len(b.arrived) == batchMost {
		return errEnough
	}
	at := len(b.memory)
	b.memory = append(b.memory, p...)
	b.arrived = append(b.arrived, b.memory[at:len(b.memory):len(b.memory)])
	return nil
}
