package mem

import (
	"unsafe"

	"github.com/filemap-go/filemap/internal/race"
)

// contains reports whether the address lies in the mapped bytes.
func (r *Region) contains(addr uintptr) bool {
	if len(r.mapped) == 0 {
		return false
	}
	first := uintptr(unsafe.Pointer(&r.mapped[0]))
	return addr >= first && addr-first < uintptr(len(r.mapped))
}

// Pointer returns the address of the n bytes at off, if they lie inside the
// region and the address is a multiple of align. The bytes behind it are
// unguarded.
func (r *Region) Pointer(off int64, n int, align uintptr) (unsafe.Pointer, error) {
	data, err := r.Bytes()
	if err != nil {
		return nil, err
	}
	if err := r.checkAligned(off, n, align); err != nil {
		return nil, err
	}
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), off), nil
}

func (r *Region) word32(off int64) *race.Uint32 {
	return (*race.Uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(r.data)), off))
}

func (r *Region) word64(off int64) *race.Uint64 {
	return (*race.Uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(r.data)), off))
}

// address returns where the region begins in this process.
func (r *Region) address() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(r.data))) }

// alignedBytes returns n zero bytes that begin at a multiple of 64.
func alignedBytes(n int) []byte {
	words := make([][64]byte, (n+63)/64+1)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}
