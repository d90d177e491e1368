package mappings

import (
	"errors"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
)

func createOurs(options *filemap.CreateOptions, u use) measure.Lap {
	name := measure.UniqueName("create")
	return measure.Loop(func() error {
		m, err := filemap.Create(name, mappingSize, options)
		if err != nil {
			return err
		}
		return errors.Join(useMapping(m, u), m.Close())
	})
}

func openOurs(name string, u use) measure.Lap {
	return measure.Loop(func() error {
		m, err := filemap.Open(name, nil)
		if err != nil {
			return err
		}
		return errors.Join(useMapping(m, u), m.Close())
	})
}

func useMapping(m *filemap.Mapping, u use) error {
	if u == untouched {
		return nil
	}
	v, err := m.View(0, 0)
	if err != nil {
		return err
	}
	if u == written {
		err = writePages(v)
	}
	return errors.Join(err, v.Close())
}

func writePages(v *filemap.View) error {
	one := []byte{1}
	for off := int64(0); off < int64(v.Len()); off += pageSize {
		if _, err := v.WriteAt(one, off); err != nil {
			return err
		}
	}
	return nil
}

// settledLeast is how many mappings of ours the garbage collector's usual round
// has to clear away: some 4 MiB.
const settledLeast = 4000

// settled has a lap last until the addresses of the views it closed are given
// back, for which the garbage collector has to find them unused.
func settled(name string, do measure.Lap) measure.Case {
	return measure.Case{Name: name, Lap: func(n int) (time.Duration, error) {
		took, err := do(n)
		start := time.Now()
		measure.Collect()
		return took + time.Since(start), err
	}, Least: settledLeast}
}
