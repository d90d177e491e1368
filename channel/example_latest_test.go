package channel_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/filemap-go/filemap/channel"
)

// A sensor writes what it measures as often as it likes; whoever wants to know
// reads the newest. All of this may be in different processes.
func ExampleLatest() {
	sensor, err := channel.CreateLatest(`Local\Example-Temperature`, 8, nil)
	must(err)
	defer sensor.Close()
	display, err := channel.OpenLatest(`Local\Example-Temperature`, nil)
	must(err)
	defer display.Close()

	value := make([]byte, 8)
	for _, degrees := range []float64{20.5, 20.75, 21} {
		binary.LittleEndian.PutUint64(value, math.Float64bits(degrees))
		must(sensor.Write(value))
	}

	shown := make([]byte, display.Size())
	version, err := display.Read(shown)
	must(err)
	fmt.Println(version, math.Float64frombits(binary.LittleEndian.Uint64(shown)))
	// Output: 3 21
}

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
