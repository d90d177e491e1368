package mappings

import (
	"errors"
	"os/exec"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
	"golang.org/x/sys/unix"
)

func kinds() []kind {
	return []kind{
		{"sparse", false, &filemap.CreateOptions{Sparse: true}},
		{"default", true, nil},
	}
}

// startBaselines returns the system calls that a program without filemap would
// make, from Go and from C, and the Go modules that come nearest.
func startBaselines(results *measure.Report) (b baselines, stop func() error, err error) {
	b = baselines{
		create: []creation{
			{"shm_open, ftruncate", false, createBare(shmOpen, unix.Ftruncate)},
			{"shm_open, fallocate", true, createBare(shmOpen, fallocate)},
			{"O_TMPFILE, ftruncate", false, createBare(temporary, unix.Ftruncate)},
			{"O_TMPFILE, fallocate", true, createBare(temporary, fallocate)},
			{"mmap-go", false, createMmapGo},
		},
		open: []opening{
			{name: "open, fstat", lap: openBare},
			{name: "mmap-go", lap: openMmapGo},
			{name: "x/exp/mmap", lap: openExpMmap, maps: true},
		},
	}
	c, err := startProgram()
	if errors.Is(err, exec.ErrNotFound) {
		results.Skip("mapping in C: needs gcc")
		return b, func() error { return nil }, nil
	} else if err != nil {
		return b, nil, err
	}
	b.create = append(b.create,
		creation{"C: shm_open, ftruncate", false, c.creates("sparse")},
		creation{"C: shm_open, fallocate", true, c.creates("reserved")})
	b.open = append(b.open, opening{name: "C: open, fstat", lap: c.opens})
	return b, c.Stop, nil
}

// flavor is how a new file comes by its name.
type flavor struct {
	open    func(path string) (int, error)
	publish func(fd int, path string) error
}

// shmOpen does what shm_open of the C library does: the file has its name
// before its size.
var shmOpen = flavor{
	open: func(path string) (int, error) {
		const flags = unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
		return unix.Open(path, flags, 0o600)
	},
	publish: func(int, string) error { return nil },
}

// temporary has the file appear under its name when it is complete.
var temporary = flavor{
	open: func(string) (int, error) {
		return unix.Open(measure.Directory, unix.O_RDWR|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	},
	publish: func(fd int, path string) error {
		return unix.Linkat(fd, "", unix.AT_FDCWD, path, unix.AT_EMPTY_PATH)
	},
}

func fallocate(fd int, size int64) error { return unix.Fallocate(fd, 0, 0, size) }

func createBare(f flavor, setSize func(int, int64) error) func(use) measure.Lap {
	path := measure.InDirectory("bare")
	return func(u use) measure.Lap {
		return measure.Loop(func() error {
			fd, err := f.open(path)
			if err != nil {
				return err
			}
			return errors.Join(setSize(fd, mappingSize), f.publish(fd, path),
				useBare(fd, u), unix.Close(fd), unix.Unlink(path))
		})
	}
}

func openBare(_, path string, u use) measure.Lap {
	return measure.Loop(func() error {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		var stat unix.Stat_t
		return errors.Join(unix.Fstat(fd, &stat), useBare(fd, u), unix.Close(fd))
	})
}
