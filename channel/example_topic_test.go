package channel_test

import (
	"context"
	"fmt"

	"github.com/filemap-go/filemap/channel"
)

// must keeps the examples short. A program handles its errors.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Every subscriber sees every message. All of this may be in different
// processes.
func ExampleTopic() {
	ctx := context.Background()
	news, err := channel.CreateTopic(`Local\Example-News`, &channel.TopicOptions{Capacity: 64 << 10})
	must(err)
	defer news.Close()
	must(news.Publish(ctx, []byte("before")))

	same, err := channel.OpenTopic(`Local\Example-News`, nil)
	must(err)
	defer same.Close()
	alice, err := same.Subscribe(nil)
	must(err)
	defer alice.Close()
	bob, err := same.Subscribe(&channel.SubscribeOptions{Last: 1})
	must(err)
	defer bob.Close()

	_, err = news.PublishBatch(ctx, [][]byte{[]byte("one"), []byte("two")})
	must(err)
	draft, err := news.Reserve(ctx, 100) // written in place
	must(err)
	must(draft.Commit(copy(draft.Bytes(), "three")))

	var buffer []byte
	for range 3 {
		buffer, err = alice.Receive(ctx, buffer)
		must(err)
		fmt.Println("alice:", string(buffer))
	}
	for {
		message, ok, err := bob.TryReceive(buffer)
		must(err)
		if !ok {
			break
		}
		fmt.Println("bob:", string(message))
	}
	// Output:
	// alice: one
	// alice: two
	// alice: three
	// bob: before
	// bob: one
	// bob: two
	// bob: three
}

// Telemetry for many readers: who keeps up gets all of it. Who is slow keeps
// nobody waiting, and is told how much was lost.
func ExampleOverwrite() {
	opts := &channel.TopicOptions{Capacity: 4096, Overflow: channel.Overwrite}
	telemetry, created, err := channel.OpenOrCreateTopic(`Local\Example-Telemetry`, opts)
	must(err)
	defer telemetry.Close()
	fmt.Println(created, telemetry.Capacity(), telemetry.Longest(), telemetry.Overflow() == channel.Overwrite)

	alarm, err := telemetry.Subscribe(nil)
	must(err)
	defer alarm.Close()
	archive, err := telemetry.Subscribe(nil)
	must(err)
	defer archive.Close()
	var last []byte
	for i := range 1000 {
		must(telemetry.TryPublish(fmt.Appendf(nil, "measurement %d", i)))
		last, err = alarm.Receive(context.Background(), last)
		must(err)
	}
	fmt.Println("alarm:", string(last), "lost:", alarm.Lost())

	received := 0
	for {
		_, ok, err := archive.TryReceive(nil)
		must(err)
		if !ok {
			break
		}
		received++
	}
	fmt.Println("archive:", received+int(archive.Lost()) == 1000, archive.Lost() > 0)
	// Output:
	// true 4096 4072 true
	// alarm: measurement 999 lost: 0
	// archive: true true
}
