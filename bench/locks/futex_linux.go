package locks

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

// The baseline of wake-ups: two words of shared memory that two processes sleep
// on by futex(2), and nothing else.

// startFutex starts the other process.
func startFutex() (*trip, error) {
	name := measure.UniqueName(futexRole)
	m, err := filemap.Create(name, 8, nil)
	if err != nil {
		return nil, err
	}
	ping, pong, err := futexWords(m)
	if err != nil {
		return nil, err
	}
	child, stop, err := startChild(futexRole, name)
	if err != nil {
		return nil, err
	}
	turn := uint32(0)
	return &trip{name: "raw futexes", there: func() error {
		turn++
		machine.Post(ping, turn)
		return machine.SleepUntil(pong, turn)
	}, stop: func() error {
		_ = child.Process.Kill()
		return errors.Join(stop(), m.Close())
	}}, nil
}

func futexEcho() error {
	go endWithParent()
	m, err := filemap.Open(os.Getenv(measure.NameVariable), nil)
	if err != nil {
		return err
	}
	ping, pong, err := futexWords(m)
	if err != nil {
		return err
	}
	for turn := uint32(1); ; turn++ {
		if err := machine.SleepUntil(ping, turn); err != nil {
			return err
		}
		machine.Post(pong, turn)
	}
}

func futexWords(m *filemap.Mapping) (ping, pong *atomic.Uint32, err error) {
	v, err := m.View(0, 0)
	if err != nil {
		return nil, nil, err
	}
	words, err := filemap.SliceAt[atomic.Uint32](v, 0, 2)
	if err != nil {
		return nil, nil, err
	}
	return &words[0], &words[1], nil
}
