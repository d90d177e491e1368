package sys

import (
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

// MapViewOfFileEx maps length bytes of a section; 0 is for all from the offset
// on. A base other than 0 is where they must come to lie: ERROR_INVALID_ADDRESS
// if anything lies there. The slice's capacity reaches to the last page's end.
func MapViewOfFileEx(
	section Handle, access uint32, offset int64, length int, base uintptr,
) ([]byte, error) {
	addr, err := mapViewOfFileEx(section, access,
		uint32(offset>>32), uint32(offset), uintptr(length), base)
	if err != nil {
		return nil, err
	}
	if length == 0 {
		length = viewLength(addr)
	}
	page := os.Getpagesize()
	whole := (length + page - 1) / page * page
	return unsafe.Slice((*byte)(toPointer(addr)), whole)[:length], nil
}

// viewLength returns how many bytes the view at an address has. The system
// tells of runs of like pages, and pages not yet committed are unlike others.
func viewLength(addr uintptr) int {
	var info windows.MemoryBasicInformation
	end := addr
	for windows.VirtualQuery(end, &info, unsafe.Sizeof(info)) == nil && info.AllocationBase == addr {
		end = info.BaseAddress + info.RegionSize
	}
	return int(end - addr)
}

// UnmapViewOfFile unmaps a view.
func UnmapViewOfFile(view []byte) error { return windows.UnmapViewOfFile(address(view)) }

// FlushViewOfFile writes a view's changed pages to the file behind them.
func FlushViewOfFile(view []byte) error {
	return windows.FlushViewOfFile(address(view), uintptr(len(view)))
}

// Reserve takes addresses that are free: touching them faults.
func Reserve(data []byte) error {
	_, err := windows.VirtualAlloc(address(data), uintptr(len(data)),
		windows.MEM_RESERVE, windows.PAGE_NOACCESS)
	return err
}

// Unreserve gives such addresses back.
func Unreserve(data []byte) error {
	return windows.VirtualFree(address(data), 0, windows.MEM_RELEASE)
}

func address(data []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(data))) }

// toPointer turns an address that lies outside Go's memory into a pointer.
func toPointer(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
