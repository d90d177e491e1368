package mappings

import (
	"errors"

	"github.com/filemap-go/filemap/bench/measure"
	"golang.org/x/sys/windows"
)

// kinds has one: sections commit their memory, and pages come when touched.
func kinds() []kind { return []kind{{"default", false, nil}} }

// startBaselines returns the calls that a program without filemap would make.
func startBaselines(results *measure.Report) (b baselines, stop func() error, err error) {
	b = baselines{
		create: []creation{{"CreateFileMapping", false, createBare}},
		open:   []opening{{name: "OpenFileMapping", lap: openBare}},
	}
	results.Skip("modules that map files, and C: for Linux only")
	return b, func() error { return nil }, nil
}

func createBare(u use) measure.Lap {
	name, err := windows.UTF16PtrFromString(measure.UniqueName("bare"))
	return measure.Loop(func() error {
		if err != nil {
			return err
		}
		h, err := windows.CreateFileMapping(windows.InvalidHandle, nil, windows.PAGE_READWRITE,
			0, mappingSize, name)
		if err != nil {
			return err
		}
		return errors.Join(useBare(h, u), windows.CloseHandle(h))
	})
}

func openBare(name, _ string, u use) measure.Lap {
	wide, err := windows.UTF16PtrFromString(name)
	return measure.Loop(func() error {
		if err != nil {
			return err
		}
		h, err := openSection(wide)
		if err != nil {
			return err
		}
		return errors.Join(useBare(h, u), windows.CloseHandle(h))
	})
}

// openReaders knows no peers that read a section without a file.
func openReaders(string) (readers []reader, stop func(), err error) {
	return nil, func() {}, nil
}
