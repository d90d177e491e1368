package sys

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestBaseIsNoHint maps pages at an address that is taken, by the flags that a
// system has which does not know MAP_FIXED_NOREPLACE.
func TestBaseIsNoHint(t *testing.T) {
	size := os.Getpagesize()
	taken, err := MmapAnonymous(size)
	if err != nil {
		t.Fatal(err)
	}
	defer Munmap(taken)
	const flags = unix.MAP_PRIVATE | unix.MAP_ANON
	if _, err := mmapAt(address(taken), size, ProtRead, flags, -1, 0); err != unix.EEXIST {
		t.Errorf("mmapAt where something lies: %v, want EEXIST", err)
	}
	pages, err := MmapAnonymous(size)
	if err != nil {
		t.Fatal(err)
	}
	base := address(pages)
	if err := Munmap(pages); err != nil {
		t.Fatal(err)
	}
	again, err := mmapAt(base, size, ProtRead, flags, -1, 0)
	if err != nil || address(again) != base {
		t.Errorf("mmapAt where nothing lies: %v", err)
	}
	_ = Munmap(again)
}
