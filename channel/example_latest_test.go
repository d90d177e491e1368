package channel_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filemap-go/filemap/channel"
)

// Wait returns at once if the value is another one by now, or else as soon as it
// is. Who comes late gets the newest only.
func ExampleLatest_Wait() {
	ctx := context.Background()
	position, err := channel.CreateLatest(`Local\Example-Position`, 1, nil)
	must(err)
	defer position.Close()
	go func() { must(position.Write([]byte("a"))) }()

	value := make([]byte, 1)
	version, err := position.Wait(ctx, 0, value)
	must(err)
	fmt.Println(version, string(value))

	must(position.Write([]byte("b")))
	must(position.Write([]byte("c")))
	version, err = position.Wait(ctx, version, value)
	must(err)
	fmt.Println(version, string(value))
	// Output:
	// 1 a
	// 3 c
}

// A camera writes frames in place, and a fast and a slow reader look at them in
// place: nothing is copied, nobody waits, and no frame changes while it is looked at.
// For frames of 1920x1080 only the numbers change.
func ExampleLatest_Reserve() {
	const width, height, rate = 64, 36, 600
	camera, err := channel.CreateLatest(`Local\Example-Frames`, width*height*4, &channel.LatestOptions{Leases: 2})
	must(err)
	defer camera.Close()

	ctx, cancel := context.WithCancel(context.Background())
	watch := func(work time.Duration) {
		screen, err := channel.OpenLatest(`Local\Example-Frames`, nil)
		must(err)
		defer screen.Close()
		for frame, err := range screen.All(ctx) {
			if errors.Is(err, context.Canceled) {
				return
			}
			must(err)
			time.Sleep(work)
			if bytes.Count(frame, frame[:1]) != len(frame) {
				fmt.Println("torn")
			}
		}
	}
	var readers sync.WaitGroup
	readers.Go(func() { watch(0) })
	readers.Go(func() { watch(5 * time.Second / rate) })

	for number := range 60 {
		draft, err := camera.Reserve()
		must(err)
		copy(draft.Bytes(), bytes.Repeat([]byte{byte(number)}, camera.Size())) // draw
		must(draft.Commit())
		time.Sleep(time.Second / rate)
	}
	cancel()
	readers.Wait()
	fmt.Println("60 frames")
	// Output: 60 frames
}
