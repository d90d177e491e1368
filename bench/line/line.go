// Package line measures how long a cache line takes from one processor to another and
// back: two processes spin on a word that they share. No message between processes is
// faster, and a change of it shows that the system has moved the processors, or that
// something else runs on them.
package line

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

const (
	role = "line"

	lasting = 5 * time.Millisecond
	// batch is how many round trips there are between two looks at the clock.
	batch = 100
	// size is that of the line and of its neighbour, which processors fetch, too.
	size = 128

	stop     = ^uint64(0)
	patience = 10 * time.Second
)

// Roles are the main functions of the child processes.
var Roles = measure.Roles{role: echo}

// Line has the other process, which sleeps between two measurements.
type Line struct {
	mapping *filemap.Mapping
	view    *filemap.View
	word    *atomic.Uint64
	on      int // the processor of this side, if it is pinned
	pinned  bool
	child   *exec.Cmd
	orders  *os.File
}

// Open starts the other process. The error is errors.ErrUnsupported if there are no two
// processors.
func Open() (*Line, error) {
	if runtime.NumCPU() < 2 {
		return nil, errors.ErrUnsupported
	}
	name := measure.UniqueName(role)
	m, err := filemap.Create(name, size, nil)
	if err != nil {
		return nil, err
	}
	l := &Line{mapping: m}
	if l.view, l.word, err = wordOf(m); err == nil {
		err = l.start(name)
	}
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return l, nil
}

func (l *Line) start(name string) (err error) {
	if l.child, err = measure.InRole(role, name); err != nil {
		return err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	l.child.Stdin, l.orders = theirs, ours
	on, other, ok := machine.Processors()
	if l.on, l.pinned = on, ok; !ok {
		return l.child.Start()
	}
	return machine.StartOn(other, l.child)
}

// RoundTrip returns the median of the round trips of some milliseconds, in nanoseconds.
func (l *Line) RoundTrip() (ns float64, err error) {
	if _, err := l.orders.Write([]byte{0}); err != nil {
		return 0, err
	}
	spin := func() (err error) {
		ns, err = l.spin()
		return err
	}
	if l.pinned {
		err = machine.On(l.on, spin)
	} else {
		err = spin()
	}
	return ns, err
}

func (l *Line) spin() (ns float64, err error) {
	l.word.Store(1)
	if err := l.await(2); err != nil { // the other side is awake
		return 0, err
	}
	var all []float64
	before := machine.Clock()
	for end := before + lasting; before < end; {
		trips(l.word, batch)
		now := machine.Clock()
		all = append(all, float64(now-before)/batch)
		before = now
	}
	l.word.Store(stop)
	return measure.Median(all), l.await(0) // or it would miss the end if it is slow
}

// await waits for the other side as long as it may take to get a processor.
func (l *Line) await(turn uint64) error {
	for end := machine.Clock() + patience; l.word.Load() != turn; runtime.Gosched() {
		if machine.Clock() > end {
			return fmt.Errorf("the other process has not answered for %v", patience)
		}
	}
	return nil
}

// trips makes odd turns, which the other side answers by the even ones after them.
func trips(word *atomic.Uint64, n int) {
	for turn := word.Load() + 1; n > 0; n-- {
		word.Store(turn)
		for word.Load() != turn+1 {
		}
		turn += 2
	}
}

// Close ends the other process.
func (l *Line) Close() error {
	return errors.Join(l.orders.Close(), l.child.Wait(), l.view.Close(), l.mapping.Close())
}

// echo is the other side. A byte of its input wakes it.
func echo() error {
	m, err := filemap.Open(os.Getenv(measure.NameVariable), nil)
	if err != nil {
		return err
	}
	defer m.Close()
	v, word, err := wordOf(m)
	if err != nil {
		return err
	}
	defer v.Close()
	for order := make([]byte, 1); ; {
		if n, _ := os.Stdin.Read(order); n == 0 {
			return nil // the end of the benchmark
		}
		answer(word)
	}
}

// answer goes on until it is told to stop, and answers that by 0.
func answer(word *atomic.Uint64) {
	for turn := uint64(1); ; turn += 2 {
		for now := word.Load(); now != turn; now = word.Load() {
			if now == stop {
				word.Store(0)
				return
			}
		}
		word.Store(turn + 1)
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
