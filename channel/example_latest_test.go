package channel_test

import (
	"context"
	"fmt"

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
