package test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"strconv"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
)

// What a process of the storm counts.
const (
	countOps = iota
	countCreates
	countOpens
	countMisses
	countClashes
	countLooks
	countViolations
	countKinds
)

// counts are those of one process. It writes them to its place in a file after
// each operation, so that they outlive it.
type counts [countKinds]uint64

const countsSize = countKinds * 8

func (c *counts) encode() []byte {
	data := make([]byte, 0, countsSize)
	for _, n := range c {
		data = binary.LittleEndian.AppendUint64(data, n)
	}
	return data
}

func (c *counts) add(data []byte) {
	for i := range c {
		c[i] += binary.LittleEndian.Uint64(data[i*8:])
	}
}

// grip is what a process holds of a mapping.
type grip struct {
	name    string
	mapping *filemap.Mapping // nil once it has been closed
	view    *filemap.View
	id      uint64      // of the mapping: its first word, whoever wrote it first
	file    os.FileInfo // what its name led to at first
}

// stormWorker is one process of the storm.
type stormWorker struct {
	names  []string
	grips  []grip
	counts counts
	max    int // grips at a time
	fds    int // open without any grip
}

// stormWork is the role of a process of the storm. Its arguments are the file
// of the counts, its place there, and the names to fight over. It ends by
// itself after some time, holding what it holds.
func stormWork(arguments []string) error {
	place, err := strconv.ParseInt(arguments[1], 10, 64)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(arguments[0], os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	w := &stormWorker{names: arguments[2:], max: 1 + rand.IntN(4)}
	for range 200 + rand.IntN(100_000) {
		w.counts[countOps]++
		if err := w.step(); err != nil {
			w.counts[countViolations]++
			fmt.Fprintf(os.Stderr, "storm process %d: %v\n", place, err)
		}
		if _, err := file.WriteAt(w.counts.encode(), place*countsSize); err != nil {
			return err
		}
	}
	return nil
}

// step does one thing at random and returns what was wrong about it.
func (w *stormWorker) step() error {
	name := w.names[rand.IntN(len(w.names))]
	switch n := rand.IntN(1000); {
	case n < 400:
		return w.seize(name)
	case n < 600:
		return w.look()
	case n < 990:
		return w.letGo()
	case n < 993:
		return w.countFDs()
	case n < 996:
		_, err := inspect.Clean()
		return err
	case n < 998:
		_, err := inspect.List(context.Background(), "")
		return err
	}
	return w.alias()
}

// seize creates or opens a mapping.
func (w *stormWorker) seize(name string) error {
	if len(w.grips) == w.max {
		return w.letGo()
	}
	m, err := w.acquire(name)
	if m == nil {
		return err
	}
	file, err := fileAt(name)
	if err != nil {
		return fmt.Errorf("%s is held, but its name leads nowhere: %w", name, err)
	}
	v, err := m.View(0, 0)
	if err != nil {
		return err
	}
	id, err := identify(v)
	w.grips = append(w.grips, grip{name, m, v, id, file})
	return err
}

// acquire returns nil where the name was taken or free, and that was in order.
func (w *stormWorker) acquire(name string) (m *filemap.Mapping, err error) {
	size := int64(64 + rand.IntN(20_000))
	created := false
	switch rand.IntN(3) {
	case 0:
		m, err = filemap.Create(name, size, nil)
		created = err == nil
	case 1:
		m, err = filemap.Open(name, nil)
	default:
		m, created, err = filemap.OpenOrCreate(name, size, nil)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.counts[countMisses]++
	case errors.Is(err, fs.ErrExist):
		w.counts[countClashes]++
	case err != nil:
		return nil, err
	case created:
		w.counts[countCreates]++
		if m.Size() != size {
			return nil, fmt.Errorf("%s: created %d bytes, want %d", name, m.Size(), size)
		}
	default:
		w.counts[countOpens]++
	}
	return m, nil
}

// fileAt returns what a name leads to.
func fileAt(name string) (os.FileInfo, error) {
	path, err := filemap.NativeName(name)
	if err != nil {
		return nil, err
	}
	return os.Lstat(path)
}

// identify returns a mapping's id, and gives it one if it is new.
func identify(v *filemap.View) (uint64, error) {
	word, err := v.Word64(0)
	if err != nil {
		return 0, err
	}
	if _, err := word.CompareAndSwap(0, rand.Uint64()|1); err != nil {
		return 0, err
	}
	return word.Load()
}

// look checks that a name leads to what this process holds of it, and to
// nothing else.
func (w *stormWorker) look() error {
	if len(w.grips) == 0 {
		return nil
	}
	w.counts[countLooks]++
	g := w.grips[rand.IntN(len(w.grips))]
	if id, err := identify(g.view); err != nil || id != g.id {
		return fmt.Errorf("the view of %s shows mapping %x, error %w, want %x", g.name, id, err, g.id)
	}
	if g.mapping == nil {
		return nil
	}
	if file, err := fileAt(g.name); err != nil || !os.SameFile(file, g.file) {
		return fmt.Errorf("%s leads elsewhere: %w", g.name, err)
	}
	if err := g.mapping.Check(); err != nil {
		return err
	}
	return g.lookAgain()
}

// lookAgain goes the way that any other process goes.
func (g grip) lookAgain() error {
	if m, err := filemap.Create(g.name, 64, nil); !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is held and was created again: %v, error %w", g.name, m, err)
	}
	m, err := filemap.Open(g.name, nil)
	if err != nil {
		return fmt.Errorf("held: %w", err)
	}
	v, err := m.View(0, 0)
	if err != nil {
		return err
	}
	id, err := identify(v)
	if err != nil || id != g.id {
		return fmt.Errorf("%s leads to mapping %x, error %w, and %x is held", g.name, id, err, g.id)
	}
	return errors.Join(v.Close(), m.Close())
}

// letGo closes a mapping, a view or both.
func (w *stormWorker) letGo() error {
	if len(w.grips) == 0 {
		return nil
	}
	i := rand.IntN(len(w.grips))
	g := &w.grips[i]
	if g.mapping != nil {
		if err := g.mapping.Close(); err != nil {
			return err
		}
		g.mapping = nil
	}
	if rand.IntN(4) == 0 {
		return nil // the view goes on
	}
	err := g.view.Close()
	w.grips[i] = w.grips[len(w.grips)-1]
	w.grips = w.grips[:len(w.grips)-1]
	return err
}

// countFDs checks that what was closed left no descriptor open.
func (w *stormWorker) countFDs() error {
	for len(w.grips) > 0 {
		if err := w.letGo(); err != nil {
			return err
		}
	}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	if w.fds == 0 {
		w.fds = len(fds)
	}
	if len(fds) > w.fds {
		return fmt.Errorf("%d descriptors are open without a mapping, %d were at first", len(fds), w.fds)
	}
	return nil
}

func (w *stormWorker) alias() error {
	if len(w.grips) == 0 || w.grips[0].mapping == nil {
		return nil
	}
	_, err := w.grips[0].mapping.Alias()
	return err
}
