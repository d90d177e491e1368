package mappings

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

func useBare(fd int, u use) error {
	if u == untouched {
		return nil
	}
	p, err := unix.MmapPtr(fd, 0, nil, mappingSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	if u == written {
		touchPages(unsafe.Slice((*byte)(p), mappingSize))
	}
	return unix.MunmapPtr(p, mappingSize)
}
