package mappings

import (
	"errors"
	"io"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
)

const (
	accessSize = 4 << 20
	// accessOffset is where the accesses are: not at the view's first byte,
	// and aligned as programs align what they share.
	accessOffset = 64
)

// copies are the sizes of guarded copies, with what the issue of mappings asks.
var copies = []struct {
	title string
	size  int
	goal  measure.Goal
}{
	{"8 B", 8, measure.Goal{Measure: measure.Extra, Most: 8}},
	{"64 B", 64, measure.Goal{Measure: measure.Extra}},
	{"4 KiB", 4 << 10, measure.Goal{Measure: measure.Extra}},
	{"1 MiB", 1 << 20, measure.Goal{Measure: measure.Ratio, Most: 1.02}},
}

// field is a view, and other ways to the same bytes.
type field struct {
	view  *filemap.View
	raw   []byte
	peers []reader
}

// reader is a peer that reads the bytes of the mapping's file.
type reader struct {
	name string
	io.ReaderAt
}

func runAccess(r *measure.Runner, results *measure.Report) error {
	m, err := filemap.Create(measure.UniqueName("access"), accessSize, nil)
	if err != nil {
		return err
	}
	v, err := m.ViewWith(0, 0, &filemap.ViewOptions{Prefault: true})
	if err != nil {
		return errors.Join(err, m.Close())
	}
	return errors.Join(compete(r, results, m, v), v.Close(), m.Close())
}

func compete(r *measure.Runner, results *measure.Report,
	m *filemap.Mapping, v *filemap.View,
) error {
	native, err := filemap.NativeName(m.Name())
	if err != nil {
		return err
	}
	peers, stop, err := openReaders(native)
	if err != nil {
		return err
	}
	defer stop()
	raw, err := v.Bytes()
	if err != nil {
		return err
	}
	f := field{v, raw, peers}
	contests, err := f.contests()
	for _, c := range contests {
		err = errors.Join(err, results.Contest(r, c))
	}
	return err
}

func (f field) contests() ([]measure.Contest, error) {
	var all []measure.Contest
	for _, one := range copies {
		buffer := make([]byte, one.size)
		all = append(all, f.reads("read "+one.title, buffer, one.goal),
			f.writes("write "+one.title, buffer, one.goal))
	}
	values, err := f.values()
	if err != nil {
		return nil, err
	}
	words, err := f.words()
	return append(all, values, words), err
}

// plainCopy is what guarded copies are compared with: a call, as ReadAt is
// one, and a copy.
//
//go:noinline
func plainCopy(to, from []byte) int { return copy(to, from) }

func (f field) reads(name string, buffer []byte, g measure.Goal) measure.Contest {
	c := measure.Contest{Name: name, Title: "copy out of a view"}
	c.Pair("ReadAt", func(n int) error {
		for range n {
			if _, err := f.view.ReadAt(buffer, accessOffset); err != nil {
				return err
			}
		}
		return nil
	}, "plain copy", func(n int) error {
		for range n {
			plainCopy(buffer, f.raw[accessOffset:])
		}
		return nil
	}, g)
	for _, peer := range f.peers {
		c.Cases = append(c.Cases, measure.Case{Name: peer.name, Lap: measure.Loop(func() error {
			_, err := peer.ReadAt(buffer, accessOffset)
			return err
		})})
		c.Rows = append(c.Rows, measure.Row{
			Ours: "ReadAt", Base: peer.name, Goal: measure.Goal{Measure: g.Measure},
		})
	}
	return c
}

func (f field) writes(name string, buffer []byte, g measure.Goal) measure.Contest {
	c := measure.Contest{Name: name, Title: "copy into a view"}
	c.Pair("WriteAt", func(n int) error {
		for range n {
			if _, err := f.view.WriteAt(buffer, accessOffset); err != nil {
				return err
			}
		}
		return nil
	}, "plain copy", func(n int) error {
		for range n {
			plainCopy(f.raw[accessOffset:], buffer)
		}
		return nil
	}, g)
	return c
}
