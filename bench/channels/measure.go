package channels

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"time"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

// exercise is what a contestant has to do.
type exercise string

const (
	roundTrip exercise = "round trip" // the server sends each message back
	oneWay    exercise = "one way"
	setup     exercise = "setup" // a round trip on a connection of its own
	idle      exercise = "idle"  // the server waits for long, after it was busy
	crowd     exercise = "crowd" // both wait for long, on very many connections
	bulk      exercise = "bulk"  // one way, a certain number of bytes
)

// answers says whether the server answers every message, not the last one only.
func (does exercise) answers() bool { return does != oneWay && does != bulk }

// wordSize is the size of messages where only the word at the beginning counts.
const wordSize = 8

// A message begins with a word: what it means for the measuring, in its lowest
// bits, and the message's number.
const (
	ordinary = iota
	firstMeasured
	last
	markBits = 2
)

func mark(message []byte, number uint64, mark uint64) {
	binary.LittleEndian.PutUint64(message, number<<markBits|mark)
}

func markOf(message []byte) (mark uint64) {
	return binary.LittleEndian.Uint64(message) & (1<<markBits - 1)
}

// checked returns an error if a message is not the one that had to come.
func checked(message []byte, size int, number uint64) error {
	if len(message) != size {
		return fmt.Errorf("a message of %d bytes came, not of %d", len(message), size)
	}
	if got := binary.LittleEndian.Uint64(message) >> markBits; got != number {
		return fmt.Errorf("message %d came, not %d", got, number)
	}
	return nil
}

// sideResult is what one of the two processes found out. Programs in other
// languages print the same.
type sideResult struct {
	Messages    int64         `json:"messages"`
	Elapsed     time.Duration `json:"elapsed_ns"`
	Processor   time.Duration `json:"processor_ns"`
	Allocs      uint64        `json:"allocs"`
	First       time.Duration `json:"first_ns,omitempty"`       // the first round trip of all
	Percentiles []float64     `json:"percentiles_ns,omitempty"` // of percentiles
}

// clockReading returns how long it takes to read the clock: that much of what
// lies between two readings is not the doing.
func clockReading() time.Duration {
	const readings = 1001
	var ns []float64
	for range readings {
		before := machine.Clock()
		ns = append(ns, float64(machine.Clock()-before))
	}
	return time.Duration(measure.Median(ns))
}

// percentiles are those of the round trips' times that are recorded.
var percentiles = []float64{
	0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.99, 100,
}

// window is the time in which a process's doings are counted.
type window struct {
	start     time.Duration
	processor time.Duration
	allocs    uint64
}

func openWindow() window {
	start := machine.Clock()
	return window{start, machine.ProcessorTime(), mallocs()}
}

func (w window) close(messages int64) sideResult {
	elapsed := machine.Clock() - w.start
	return sideResult{
		Messages: messages, Elapsed: elapsed,
		Processor: machine.ProcessorTime() - w.processor, Allocs: mallocs() - w.allocs,
	}
}

func mallocs() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.Mallocs
}
