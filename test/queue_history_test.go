package test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// keepHistory is the role of a process that sends numbered messages to a queue,
// or receives some and checks that those of each sender come in order. Its
// arguments are the queue's name, its number, and how many messages to send; or
// how many senders there are, each of which ends with an empty message for each
// receiver.
func keepHistory(arguments []string) error {
	q, err := channel.OpenQueue(arguments[1], nil)
	if err != nil {
		return err
	}
	defer q.Close()
	n, err := strconv.ParseUint(arguments[3], 10, 64)
	if err != nil {
		return err
	}
	id, err := strconv.ParseUint(arguments[2], 10, 64)
	if err != nil {
		return err
	}
	if arguments[0] == "send" {
		return sendHistory(q, id, n)
	}
	return receiveHistory(q, int(n))
}

func sendHistory(q *channel.Queue, id, n uint64) error {
	const batchMost = 16
	var memory [batchMost][16]byte
	batch := make([][]byte, 0, batchMost)
	for number := uint64(0); number < n; {
		batch = batch[:0]
		for i := range min(batchMost, n-number) {
			p := memory[i][:]
			binary.LittleEndian.PutUint64(p, id)
			binary.LittleEndian.PutUint64(p[8:], number+i)
			batch = append(batch, p)
		}
		if number%64 < 16 { // one by one now and then
			batch = batch[:1]
			if err := q.Send(context.Background(), batch[0]); err != nil {
				return err
			}
		} else if _, err := q.SendBatch(context.Background(), batch); err != nil {
			return err
		}
		number += uint64(len(batch))
	}
	return nil
}

// receiveHistory receives until all senders have ended, and prints how many
// messages there were, and the sum of their numbers.
func receiveHistory(q *channel.Queue, senders int) error {
	last := make([]int64, senders)
	for i := range last {
		last[i] = -1
	}
	var count, sum uint64
	note := func(p []byte) error {
		if len(p) == 0 {
			return errEnded
		}
		id, number := binary.LittleEndian.Uint64(p), int64(binary.LittleEndian.Uint64(p[8:]))
		if number <= last[id] {
			return fmt.Errorf("message %d of %d came after %d", number, id, last[id])
		}
		last[id] = number
		count++
		sum += uint64(number)
		return nil
	}
	buffer := make([]byte, 16)
	for turn := 0; ; turn++ {
		var err error
		if turn%2 == 0 {
			_, err = q.Drain(context.Background(), note)
		} else if buffer, err = q.Receive(context.Background(), buffer); err == nil {
			err = note(buffer)
		}
		if errors.Is(err, errEnded) {
			fmt.Fprintln(os.Stdout, count, sum)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errEnded: all senders have ended. Drain leaves the message in the queue, so
// that all receivers see it.
var errEnded = errors.New("the senders have ended")

// TestQueueHistory has several processes send, and several receive, and checks
// that no message is lost or doubled, and that those of each sender come in
// their order.
func TestQueueHistory(t *testing.T) {
	const senders, receivers = 3, 3
	each := uint64(effort(t, 100_000, 34_000_000))
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), nil)
	keepOpen(t, q, err)
	outputs := make(chan string, receivers)
	for i := range receivers {
		cmd := inRole("history", thisBinary(t), "receive", ns.Name("q"), strconv.Itoa(i), strconv.Itoa(senders))
		go func() {
			output, err := cmd.Output()
			if err != nil {
				t.Error("a receiver:", err)
			}
			outputs <- string(output)
		}()
	}
	sent := make(chan error, senders)
	for i := range senders {
		cmd := inRole("history", thisBinary(t), "send", ns.Name("q"), strconv.Itoa(i), strconv.FormatUint(each, 10))
		go func() { sent <- cmd.Run() }()
	}
	for range senders {
		succeed(t, "a sender", <-sent)
	}
	for range receivers { // one that receives it by Receive takes it
		succeed(t, "Send", q.Send(context.Background(), nil))
	}
	var count, sum uint64
	for range receivers {
		var c, s uint64
		if _, err := fmt.Sscan(<-outputs, &c, &s); err != nil {
			t.Fatal(err)
		}
		count, sum = count+c, sum+s
	}
	if count != senders*each || sum != senders*(each*(each-1)/2) {
		t.Errorf("%d messages, with a sum of %d: want %d and %d", count, sum, senders*each, senders*(each*(each-1)/2))
	}
	t.Logf("figures: queue history: %d senders, %d receivers, %d messages", senders, receivers, count)
}
