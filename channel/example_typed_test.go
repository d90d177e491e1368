package channel_test

import (
	"context"
	"fmt"

	"github.com/filemap-go/filemap/channel"
)

// A queue whose messages are values of a Go type: programs with another idea of the
// type get an error when they open it.
func ExampleTypedQueue() {
	type Tick struct {
		Time  int64
		Price float64
	}
	opts := &channel.QueueOptions{Type: channel.TypeOf[Tick]()}
	q, err := channel.CreateQueue(`Local\Example-Ticks`, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer q.Close()
	ticks, err := channel.NewTypedQueue[Tick](q)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := ticks.Send(ctx, &Tick{Time: 1, Price: 2.5}); err != nil {
		fmt.Println(err)
		return
	}
	var tick Tick
	if err := ticks.Receive(ctx, &tick); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(tick.Price)

	type Quote struct{ Bid, Ask float64 }
	_, err = channel.NewTypedQueue[Quote](q)
	fmt.Println(err)
	// Output:
	// 2.5
	// open Local\Example-Ticks: the channel's messages are Tick 16 {Time 0 int64,Price 8 float64}, not Quote 16 {Bid 0 float64,Ask 8 float64}
}

// A worker has values in hand until it has done them.
func ExampleTypedQueue_Take() {
	type Job struct{ First, Last int64 }
	opts := &channel.QueueOptions{Type: channel.TypeOf[Job]()}
	q, err := channel.CreateQueue(`Local\Example-Jobs`, opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer q.Close()
	jobs, err := channel.NewTypedQueue[Job](q)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	if err := jobs.Send(ctx, &Job{1, 100}); err != nil {
		fmt.Println(err)
		return
	}
	taken, err := jobs.Take(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*taken.Value(), taken.Takes())
	fmt.Println(taken.Done())
	// Output:
	// {1 100} 0
	// <nil>
}
