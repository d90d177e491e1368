package mappings

import (
	"errors"
	"os"

	mmapgo "github.com/edsrzf/mmap-go"
	"github.com/filemap-go/filemap/bench/measure"
	"golang.org/x/exp/mmap"
)

// createMmapGo makes a mapping as programs with mmap-go do: it maps an open
// file, and the rest is theirs.
func createMmapGo(u use) measure.Lap {
	path := measure.InDirectory("mmap-go")
	return measure.Loop(func() error {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		return errors.Join(file.Truncate(mappingSize), useMmapGo(file, u),
			file.Close(), os.Remove(path))
	})
}

func openMmapGo(_, native string, u use) measure.Lap {
	return measure.Loop(func() error {
		file, err := os.OpenFile(native, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(useMmapGo(file, u), file.Close())
	})
}

func useMmapGo(file *os.File, u use) error {
	if u == untouched {
		return nil
	}
	data, err := mmapgo.Map(file, mmapgo.RDWR, 0)
	if err != nil {
		return err
	}
	if u == written {
		touchPages(data)
	}
	return data.Unmap()
}

// openExpMmap maps the file for reading: the package can do nothing else.
func openExpMmap(_, native string, _ use) measure.Lap {
	return measure.Loop(func() error {
		reader, err := mmap.Open(native)
		if err != nil {
			return err
		}
		return reader.Close()
	})
}

// openReaders opens the file of a mapping in the ways that peers read it.
func openReaders(native string) (readers []reader, stop func(), err error) {
	file, err := os.Open(native)
	if err != nil {
		return nil, nil, err
	}
	pages, err := mmap.Open(native)
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	stop = func() {
		pages.Close()
		file.Close()
	}
	return []reader{{"x/exp/mmap (unguarded)", pages}, {"os.File (pread)", file}}, stop, nil
}
