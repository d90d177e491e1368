package sys

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Protection of mapped pages.
const (
	ProtNone  = unix.PROT_NONE
	ProtRead  = unix.PROT_READ
	ProtWrite = unix.PROT_WRITE
)

// Mmap maps part of a file. private makes written pages copies of this
// mapping's own. A base other than 0 is where the pages must come to lie; it
// is an error (EEXIST) if anything lies there.
func Mmap(fd int, offset int64, length int, prot int, private bool, base uintptr) ([]byte, error) {
	flags := unix.MAP_SHARED
	if private {
		flags = unix.MAP_PRIVATE | unix.MAP_NORESERVE
	}
	if base != 0 {
		flags |= unix.MAP_FIXED_NOREPLACE
	}
	return mmapAt(base, length, prot, flags, fd, offset)
}

// mmapAt is mmap, but a base other than 0 is no hint. Before Linux 4.17, and in
// emulators, MAP_FIXED_NOREPLACE is unknown and ignored: if anything lies at the
// base, the pages come to lie elsewhere.
func mmapAt(base uintptr, length, prot, flags, fd int, offset int64) ([]byte, error) {
	pages, err := mmap(base, length, prot, flags, fd, offset)
	if err == nil && base != 0 && address(pages) != base {
		_ = Munmap(pages)
		return nil, unix.EEXIST
	}
	return pages, err
}

// Fence replaces mapped pages by ones that fault when touched, in one step.
func Fence(data []byte) error {
	const flags = unix.MAP_PRIVATE | unix.MAP_ANON | unix.MAP_FIXED | unix.MAP_NORESERVE
	_, err := mmap(address(data), len(data), unix.PROT_NONE, flags, -1, 0)
	return err
}

func mmap(base uintptr, length, prot, flags, fd int, offset int64) ([]byte, error) {
	p, err := unix.MmapPtr(fd, offset, toPointer(base), uintptr(length), prot, flags)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), length), nil
}

// Munmap unmaps pages.
func Munmap(data []byte) error {
	return unix.MunmapPtr(unsafe.Pointer(unsafe.SliceData(data)), uintptr(len(data)))
}

// Msync writes changed pages to their file and waits for that.
func Msync(data []byte) error { return unix.Msync(data, unix.MS_SYNC) }

// Populate brings pages into memory, for writing if write is set, and tells
// what a later touch would have met as an error: madvise(2), Linux 5.14.
func Populate(data []byte, write bool) error {
	advice := unix.MADV_POPULATE_READ
	if write {
		advice = unix.MADV_POPULATE_WRITE
	}
	return retry(func() error { return unix.Madvise(data, advice) })
}

func address(data []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(data))) }

// toPointer turns an address that lies outside Go's memory into a pointer.
func toPointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }

// MmapAnonymous maps zeroed pages of this process's own.
func MmapAnonymous(length int) ([]byte, error) {
	return mmap(0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON, -1, 0)
}

// MmapOver maps the beginning of a file over mapped pages.
func MmapOver(pages []byte, fd int) error {
	_, err := mmap(address(pages), len(pages), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_SHARED|unix.MAP_FIXED, fd, 0)
	return err
}

// Discard replaces mapped pages by zeroed ones of this process's own, in one
// step. The system then has no more business with what they were of.
func Discard(pages []byte) error {
	_, err := mmap(address(pages), len(pages), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_FIXED, -1, 0)
	return err
}

// Word64 returns the word at an offset of mapped pages.
func Word64(data []byte, offset int) *atomic.Uint64 {
	return (*atomic.Uint64)(unsafe.Pointer(&data[offset]))
}
