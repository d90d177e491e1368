package waitable_test

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// The benchmarks of opening have another process hold the object: a second handle
// of one process shares the first one's open file.

func benchmark(b *testing.B, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// closing ends a benchmark's step, whichever kind of object it is about.
func closing(object interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	return object.Close()
}

func BenchmarkOpen(b *testing.B) {
	ns := filemaptest.New(b)
	p := startPeer(b)
	ctx := context.Background()
	m, e, s := ns.Name("m"), ns.Name("e"), ns.Name("s")
	p.do("mutex", m, 0)
	p.do("create event", e, 0)
	p.do("create semaphore", s, 0)
	benchmark(b, "mutex", func() error { return closing(waitable.OpenMutex(m)) })
	benchmark(b, "event", func() error { return closing(waitable.OpenEvent(e)) })
	benchmark(b, "semaphore", func() error { return closing(waitable.OpenSemaphore(s)) })
	benchmark(b, "mutex locked", func() error {
		lock, err := waitable.OpenMutex(m)
		if err != nil {
			return err
		}
		hold, err := lock.Lock(ctx)
		if err != nil {
			return err
		}
		return errors.Join(hold.Unlock(), lock.Close())
	})
	benchmark(b, "name", func() error {
		_, err := waitable.Any(ctx, waitable.Name(m))
		return err
	})
}

func BenchmarkCreate(b *testing.B) {
	ns := filemaptest.New(b)
	m, e := ns.Name("m"), ns.Name("e")
	benchmark(b, "mutex", func() error { return closing(waitable.CreateMutex(m, nil)) })
	benchmark(b, "event", func() error { return closing(waitable.CreateEvent(e, nil)) })
	benchmark(b, "nameless event", func() error { return closing(waitable.CreateEvent("", nil)) })
}

func BenchmarkView(b *testing.B) {
	const size = 64 << 10
	ns := filemaptest.New(b)
	p := startPeer(b)
	name, mine := ns.Name("mapping"), ns.Name("mine")
	p.do("create mapping", name, size)
	viewing := func(m *filemap.Mapping, err error) error {
		if err != nil {
			return err
		}
		v, err := m.View(0, 0)
		return errors.Join(err, v.Close(), m.Close())
	}
	path, err := filemap.NativeName(name)
	succeed(b, "NativeName", err)
	bare := func(fd int, err error) error {
		if err != nil {
			return err
		}
		data, err := syscall.Mmap(fd, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
		return errors.Join(err, syscall.Munmap(data), syscall.Close(fd))
	}
	benchmark(b, "open", func() error { return viewing(filemap.Open(name, nil)) })
	benchmark(b, "bare open", func() error { return bare(syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)) })
	benchmark(b, "create", func() error {
		return viewing(filemap.Create(mine, size, &filemap.CreateOptions{Sparse: true}))
	})
	benchmark(b, "bare create", func() error {
		fd, err := syscall.Open(path+"-bare", syscall.O_RDWR|syscall.O_CREAT|syscall.O_EXCL|syscall.O_CLOEXEC, 0o600)
		if err == nil {
			err = syscall.Ftruncate(fd, size)
		}
		return errors.Join(bare(fd, err), syscall.Unlink(path+"-bare"))
	})
}

func BenchmarkLock(b *testing.B) {
	ns := filemaptest.New(b)
	ctx := context.Background()
	m := mutex(b, ns.Name("m"))
	benchmark(b, "mutex", func() error {
		hold, err := m.Lock(ctx)
		if err != nil {
			return err
		}
		return hold.Unlock()
	})
}
