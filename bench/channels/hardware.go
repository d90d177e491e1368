package channels

import (
	"time"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

// The hardware's limits: no message between two processors is faster than a
// cache line that goes there and back, none has more bytes a second than a copy.

// cacheLine is the limit that the runner measures before and after each bout.
const cacheLine = "cache line"

// The rings that the tables have ratios to: what a program in C++ does with memory that
// it shares with one other, and no more.
const (
	slotRing = "slot ring (C++)"
	byteRing = "byte ring (C++)"
)

const (
	copySize  = 1 << 20
	copyTime  = 20 * time.Millisecond
	copyBatch = 16

	// copyPiece is as much as Go copies without going around the caches, which
	// is faster for what they can hold.
	copyPiece = 256 << 10
)

// copyRate returns how many bytes a second one process copies at most, from a
// buffer of 1 MiB to another.
func copyRate() float64 {
	from, to := make([]byte, copySize), make([]byte, copySize)
	for i := range from {
		from[i] = byte(i) // pages of its own, not the one of zeros
	}
	var rates []float64
	for end := machine.Clock() + copyTime; machine.Clock() < end; {
		before := machine.Clock()
		for range copyBatch {
			for at := 0; at < copySize; at += copyPiece {
				copy(to[at:at+copyPiece], from[at:])
			}
		}
		rates = append(rates, copyBatch*copySize/(machine.Clock()-before).Seconds())
	}
	return measure.Median(rates)
}
