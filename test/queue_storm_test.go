package test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// A storm over a queue: processes send and receive, in all ways there are, and
// are killed at random moments. Each sender numbers its messages. Whoever has
// received one writes its number into the ledger before it leaves the queue, so
// the numbers of a sender must come one after the other: a gap is a message
// that was lost, and only the one that came last may come again, to the
// successor of a receiver that was killed.

// ledger holds two words for each process: the number of the last message that
// it has sent, and that of the last one of it that was received.
type ledger struct{ words []atomic.Uint64 }

const ledgerProcesses = 64 << 10

func openLedger(m *filemap.Mapping, err error) (ledger, error) {
	if err != nil {
		return ledger{}, err
	}
	v, err := m.View(0, 0)
	if err != nil {
		return ledger{}, err
	}
	words, err := filemap.SliceAt[atomic.Uint64](v, 0, 2*ledgerProcesses)
	return ledger{words}, err
}

func (l ledger) sent(id uint64) *atomic.Uint64     { return &l.words[2*(id%ledgerProcesses)] }
func (l ledger) received(id uint64) *atomic.Uint64 { return &l.words[2*(id%ledgerProcesses)+1] }

const stormCapacity = 64 << 10

// useQueue is the role of a process that sends or receives until it is killed,
// or told to end.
func useQueue(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	l, err := openLedger(filemap.Open(rest[0], nil))
	if err != nil {
		return err
	}
	q, err := channel.OpenQueue(rest[1], nil)
	if err != nil {
		return err
	}
	defer q.Close()
	u := queueUser{c, l, q}
	if rest[2] == "send" {
		return u.send()
	}
	return u.receive()
}

type queueUser struct {
	*contender
	ledger
	q *channel.Queue
}

// boardEnd tells the processes to end.
const boardEnd = boardInside

// message returns the message of a number: its sender, its number, and bytes
// that follow from those.
func message(id, number uint64) []byte {
	p := make([]byte, 16+(id*31+number*number*7)%3000)
	binary.LittleEndian.PutUint64(p, id)
	binary.LittleEndian.PutUint64(p[8:], number)
	for i := 16; i < len(p); i++ {
		p[i] = byte(number + uint64(i))
	}
	return p
}

// checkMessage returns who sent a message, and its number.
func checkMessage(p []byte) (id, number uint64, err error) {
	if len(p) < 16 {
		return 0, 0, fmt.Errorf("a message of %d bytes", len(p))
	}
	id, number = binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
	if want := message(id, number); string(p) != string(want) {
		return id, number, fmt.Errorf("message %d of %d is torn: %d bytes, want %d", number, id, len(p), len(want))
	}
	return id, number, nil
}

func (u queueUser) send() error {
	for number := uint64(1); u.word(boardEnd).Load() == 0; {
		sent, err := u.sendSome(number)
		if err != nil {
			u.wrong("send: %v", err)
			return nil
		}
		number += sent
		u.sent(u.id).Store(number - 1)
	}
	return nil
}

// sendSome sends messages from a number on, in one of the ways there are.
func (u queueUser) sendSome(number uint64) (uint64, error) {
	ctx, cancel := deadline()
	defer cancel()
	switch rand.IntN(3) {
	case 0:
		return 1, u.q.Send(ctx, message(u.id, number))
	case 1:
		var batch [][]byte
		for i := range uint64(1 + rand.IntN(8)) {
			batch = append(batch, message(u.id, number+i))
		}
		n, err := u.q.SendBatch(ctx, batch)
		return uint64(n), err
	}
	p := message(u.id, number)
	draft, err := u.q.Reserve(ctx, len(p)+rand.IntN(100))
	if err != nil {
		return 0, err
	}
	if rand.IntN(4) == 0 {
		return 0, draft.Abort()
	}
	copy(draft.Bytes(), p)
	return 1, draft.Commit(len(p))
}

func (u queueUser) receive() error {
	for u.word(boardEnd).Load() == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		err := u.receiveSome(ctx)
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			u.wrong("receive: %v", err)
			return nil
		}
	}
	return nil
}

// receiveSome receives a message, or all there are, in one of the ways that
// take a message out of the queue after it was seen.
func (u queueUser) receiveSome(ctx context.Context) error {
	if rand.IntN(2) == 0 {
		_, err := u.q.Drain(ctx, func(p []byte) error { u.note(p); return nil })
		return err
	}
	lease, err := u.q.Next(ctx)
	if err != nil {
		return err
	}
	if rand.IntN(8) == 0 {
		return lease.Return()
	}
	u.note(lease.Bytes())
	return lease.Release()
}

// note writes a message's number into the ledger.
func (u queueUser) note(p []byte) {
	id, number, err := checkMessage(p)
	if err != nil {
		u.wrong("%v", err)
		return
	}
	u.word(boardStarted).Store(1)
	u.word(boardTaken).Add(1)
	word := u.received(id)
	switch before := word.Load(); {
	case number == before+1:
		word.Store(number)
	case number == before: // the receiver before was killed at it
		u.word(boardAbandons).Add(1)
	default:
		u.wrong("message %d of %d after %d", number, id, before)
	}
}

func TestQueueStorm(t *testing.T) {
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: stormCapacity})
	keepOpen(t, q, err)
	m := created(t, ns.Name("ledger"), 2*8*ledgerProcesses, nil)
	l, err := openLedger(m, nil)
	succeed(t, "the ledger", err)
	c := newContest(t, ns, "queue", 6)
	c.command = func(i int, role string, arguments []string) *exec.Cmd {
		way := [...]string{"send", "receive"}[i%2]
		return inRole(role, thisBinary(t), append(arguments, ns.Name("ledger"), ns.Name("q"), way)...)
	}
	c.run(effort(t, 200, 10_000))
	c.board.word(boardEnd).Store(1)
	time.Sleep(200 * time.Millisecond) // the rest is to end by itself
	c.killAllOrEnded()

	// What is left in the queue was sent.
	id := uint64(c.started) + 1
	rest := queueUser{&contender{c.board, id, 0}, l, q}
	for {
		p, ok, err := q.TryReceive(nil)
		succeed(t, "TryReceive", err)
		if !ok {
			break
		}
		rest.note(p)
	}
	messages := uint64(0)
	for id := range uint64(c.started) + 1 {
		sent, received := l.sent(id).Load(), l.received(id).Load()
		if received < sent {
			t.Errorf("process %d sent %d messages, %d were received", id, sent, received)
		}
		messages += received
	}
	c.expectRight()
	t.Logf("figures: queue storm: %d processes, %d kills, %d messages, %d of them received again, %d violations",
		c.started, c.kills, messages, c.board.word(boardAbandons).Load(), c.board.word(boardWrong).Load())
}

// killAllOrEnded kills the processes that have not ended by themselves.
func (c *contest) killAllOrEnded() {
	for i, cmd := range c.workers {
		if cmd != nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			c.workers[i] = nil
		}
	}
}
