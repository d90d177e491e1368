package channels

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

// The hardware's limits: no message between two processors is faster than a
// cache line that goes there and back, none has more bytes a second than a copy.

const (
	cacheLine     = "cache line"
	cacheLineTime = 20 * time.Millisecond
	cacheLineSize = 128 // with the neighbour that the processor fetches, too

	// cacheLineBatch is how many round trips there are between two looks at the
	// clock.
	cacheLineBatch = 100
)

// cacheLineRoundTrip returns how long a word takes to another processor and
// back, both processes spinning, in nanoseconds.
func cacheLineRoundTrip(number int) (float64, error) {
	b := bout{Contestant: cacheLine, Time: cacheLineTime, Name: boutName(number)}
	result, err := b.run("", true)
	if err != nil {
		return 0, err
	}
	return result.client.at(50), nil
}

func (b bout) playCacheLine() error {
	if b.End == clientEnd {
		return b.pingCacheLine()
	}
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	m, err := filemap.Await(ctx, b.Name, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	v, word, err := wordOf(m)
	if err != nil {
		return err
	}
	defer v.Close()
	for turn := uint64(1); ; turn += 2 {
		for now := word.Load(); now != turn; now = word.Load() {
			if now == stopWord {
				return sideResult{}.tell()
			}
		}
		word.Store(turn + 1)
	}
}

// stopWord makes the server end.
const stopWord = ^uint64(0)

func (b bout) pingCacheLine() error {
	m, err := filemap.Create(b.Name, cacheLineSize, nil)
	if err != nil {
		return err
	}
	defer m.Close()
	v, word, err := wordOf(m)
	if err != nil {
		return err
	}
	defer v.Close()
	cacheLineTrips(word, 1) // the server is there
	var trips []float64
	before := machine.Clock()
	for end := before + b.Time; before < end; {
		cacheLineTrips(word, cacheLineBatch)
		now := machine.Clock()
		trips = append(trips, float64(now-before)/cacheLineBatch)
		before = now
	}
	word.Store(stopWord)
	result := sideResult{Messages: int64(len(trips)) * cacheLineBatch}
	for _, p := range percentiles {
		result.Percentiles = append(result.Percentiles, measure.Quantile(trips, p/100))
	}
	return result.tell()
}

func cacheLineTrips(word *atomic.Uint64, n int) {
	for turn := word.Load() + 1; n > 0; n-- {
		word.Store(turn)
		for word.Load() != turn+1 {
		}
		turn += 2
	}
}

func wordOf(m *filemap.Mapping) (*filemap.View, *atomic.Uint64, error) {
	v, err := m.View(0, 0)
	if err != nil {
		return nil, nil, err
	}
	word, err := filemap.At[atomic.Uint64](v, 0)
	return v, word, err
}

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
