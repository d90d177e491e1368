package channel_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

func TestQueueSmoke(t *testing.T) {
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: 4096})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	r, err := channel.OpenQueue(ns.Name("q"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx := context.Background()
	for i := range 10000 {
		m := bytes.Repeat([]byte{byte(i)}, i*7%4081)
		if err := q.Send(ctx, m); err != nil {
			t.Fatal(i, err)
		}
		got, err := r.Receive(ctx, nil)
		if err != nil || !bytes.Equal(got, m) {
			t.Fatal(i, len(got), err)
		}
	}
	buf := make([]byte, 100)
	m := make([]byte, 64)
	t.Log(testing.AllocsPerRun(1000, func() {
		q.Send(ctx, m)
		r.Receive(ctx, buf)
	}))
}

func BenchmarkSendReceive(b *testing.B) {
	q, err := channel.CreateQueue("benchq", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close()
	ctx := context.Background()
	buf := make([]byte, 100)
	m := make([]byte, 64)
	for b.Loop() {
		q.Send(ctx, m)
		q.Receive(ctx, buf)
	}
}
