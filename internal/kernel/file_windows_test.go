package kernel

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// TestUndoneFiles: where another process takes the name after it was looked for,
// the file is as it was found, unless somebody maps it meanwhile.
func TestUndoneFiles(t *testing.T) {
	path := newFile(t, "0123456789")
	grow := func(spec MappingSpec) *backing {
		b, err := openBacking(spec)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Truncate(b.size); err != nil { // as the system does
			t.Fatal(err)
		}
		return b
	}
	size := func() int64 {
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return stat.Size()
	}
	grow(MappingSpec{File: path, Size: 5000}).undo()
	if got := size(); got != 10 {
		t.Errorf("a file of 10 bytes has %d", got)
	}
	b := grow(MappingSpec{File: path, Size: 5000})
	other := create(t, MappingSpec{File: path})
	b.undo()
	if got := size(); got != 5000 {
		t.Errorf("a file that is mapped has %d bytes, want 5000", got)
	}
	other.Close()
	grow(MappingSpec{File: path + "-new", Size: 5000}).undo()
	if _, err := os.Stat(path + "-new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that was made for nothing: %v", err)
		os.Remove(path + "-new")
	}
}
