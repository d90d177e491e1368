package test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// connPair returns the sides of a connection with the default options.
func connPair(t *testing.T, name string) (dialed, accepted *channel.Conn) {
	t.Helper()
	l, err := channel.Listen(name, nil)
	succeed(t, "Listen", err)
	closeLater(t, l)
	dialed, err = channel.Dial(t.Context(), name, nil)
	succeed(t, "Dial", err)
	closeLater(t, dialed)
	accepted, err = l.AcceptConn(t.Context())
	succeed(t, "Accept", err)
	closeLater(t, accepted)
	return dialed, accepted
}

// memoryOf returns how many bytes of memory the connections of a service take.
func memoryOf(t *testing.T) int64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv("FILEMAP_DIR"), "filemap.*~s*"))
	succeed(t, "Glob", err)
	bytes := int64(0)
	for _, file := range files {
		stat, err := os.Stat(file)
		succeed(t, "Stat", err)
		bytes += stat.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return bytes
}

// TestConnMemory moves many times a ring's size through a connection: one whose
// reader keeps up takes a small part of the ring.
func TestConnMemory(t *testing.T) {
	a, b := connPair(t, filemaptest.New(t).Name("service"))
	const most = 400 << 10 // of two rings of 1 MiB, and the objects beside them
	for _, size := range []int{100, 3000, 100_000} {
		p := make([]byte, size)
		for moved := 0; moved < 16*mib; moved += size {
			_, err := a.Write(p)
			succeed(t, "Write", err)
			_, err = io.ReadFull(b, p)
			succeed(t, "Read", err)
		}
		if bytes := memoryOf(t); bytes > most {
			t.Errorf("after writes of %d bytes: the connection takes %d bytes", size, bytes)
		}
	}
	_, err := a.Write(make([]byte, 900_000))
	succeed(t, "Write", err)
	if bytes := memoryOf(t); bytes < 900_000 {
		t.Errorf("with 900000 bytes to be read, the connection takes %d bytes", bytes)
	}
}

// TestConnWithoutSpace writes more than there is memory for: the write fails, and
// so do later ones, and what was written before is read.
func TestConnWithoutSpace(t *testing.T) {
	smallSpace(t, "size=600k")
	a, b := connPair(t, "Service")
	written := 0
	for range 100 {
		n, err := a.Write(make([]byte, 10_000))
		written += n
		if err != nil {
			if !errors.Is(err, object.ErrFault) {
				t.Errorf("Write: %v", err)
			}
			break
		}
	}
	if written < 100_000 || written >= 600_000 {
		t.Errorf("%d bytes were written", written)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, object.ErrFault) {
		t.Errorf("Write after the failure: %v", err)
	}
	succeed(t, "CloseWrite", a.CloseWrite())
	if got, err := io.ReadAll(b); len(got) < written || err != nil {
		t.Errorf("read %d bytes of %d: %v", len(got), written, err)
	}
}
