package channel_test

import (
	"context"
	"fmt"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/waitable"
)

// A program that receives from a queue until an event tells it to stop.
func ExampleQueue_Ready() {
	jobs, err := channel.CreateQueue(`Local\JobsUntilStop`, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer jobs.Close()
	stop, err := waitable.CreateEvent("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer stop.Close()
	if err := jobs.Send(context.Background(), []byte("a job")); err != nil {
		fmt.Println(err)
		return
	}
	for {
		got, err := waitable.Any(context.Background(), jobs.Ready(), stop)
		if err != nil {
			fmt.Println(err)
			return
		}
		if got.Index == 1 {
			fmt.Println("stopped")
			return
		}
		job, ok, err := jobs.TryReceive(nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		if ok { // no other process was faster
			fmt.Println(string(job))
		}
		if err := stop.Set(); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Output:
	// a job
	// stopped
}
