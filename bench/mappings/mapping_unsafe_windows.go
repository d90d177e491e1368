package mappings

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

var openFileMapping = windows.NewLazySystemDLL("kernel32.dll").NewProc("OpenFileMappingW")

func openSection(name *uint16) (windows.Handle, error) {
	const access = windows.FILE_MAP_READ | windows.FILE_MAP_WRITE
	h, _, err := openFileMapping.Call(access, 0, uintptr(unsafe.Pointer(name)))
	if h == 0 {
		return 0, err
	}
	return windows.Handle(h), nil
}

func useBare(h windows.Handle, u use) error {
	if u == untouched {
		return nil
	}
	address, err := windows.MapViewOfFile(h, windows.FILE_MAP_READ|windows.FILE_MAP_WRITE, 0, 0, mappingSize)
	if err != nil {
		return err
	}
	if u == written {
		// The address is the system's: turned into a pointer through memory, as
		// go vet knows no other way.
		touchPages(unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), mappingSize))
	}
	return windows.UnmapViewOfFile(address)
}
