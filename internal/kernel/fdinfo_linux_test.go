package kernel

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/internal/sys"
)

func TestParseLock(t *testing.T) {
	file := objmgr.FileID{Dev: sys.Mkdev(0, 0x2b), Ino: 1<<63 + 7}
	tests := []struct {
		line string
		want fileLock
		ok   bool
	}{
		{"1: FLOCK  ADVISORY  READ 954 00:2b:9223372036854775815 0 EOF\n",
			fileLock{954, file, true, false, 0, math.MaxInt64}, true},
		{"\t22: OFDLCK ADVISORY  WRITE -1 00:2b:9223372036854775815 5 6",
			fileLock{-1, file, false, true, 5, 6}, true},
		{line: "1: -> FLOCK  ADVISORY  READ 954 00:2b:7 0 EOF"},
		{line: "1: LEASE  ACTIVE    READ 954 00:2b:7 0 EOF"},
		{line: "1: FLOCK  ADVISORY  READ 954 2b:7 0 EOF"},
		{line: "1: FLOCK  ADVISORY  READ 954 00:zz:7 0 EOF"},
		{line: ""},
	}
	for _, test := range tests {
		if got, ok := parseLock(test.line); ok != test.ok || ok && got != test.want {
			t.Errorf("parseLock(%q) = %+v, %v, want %+v, %v", test.line, got, ok, test.want, test.ok)
		}
	}
}

// TestEachLock: the locks of an open file of ours are found among those of its
// process, and those of the system.
func TestEachLock(t *testing.T) {
	h := host{dir: t.TempDir() + "/"}
	file, err := os.Create(filepath.Join(h.dir, "filemap.g.Test"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fd := int(file.Fd())
	stat, err := sys.Fstat(fd)
	if err != nil {
		t.Fatal(err)
	}
	id, err := h.lockID(stat.Ino)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := sys.TryFlock(fd, false); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := sys.TryLockByte(fd, 1<<60, true); err != nil || !ok {
		t.Fatal(ok, err)
	}
	whole := fileLock{os.Getpid(), id, true, false, 0, math.MaxInt64}
	byteLock := fileLock{os.Getpid(), id, false, true, 1 << 60, 1 << 60}
	found := make(map[fileLock]int)
	seen, err := eachLock(t.Context(), func(l fileLock) bool { found[l]++; return true })
	if err != nil || !seen[os.Getpid()] || found[whole] != 1 || found[byteLock] != 1 {
		t.Errorf("eachLock finds %v, %v, want %v and %v", found, err, whole, byteLock)
	}
	byteLock.pid = -1
	clear(found)
	err = eachSystemLock(t.Context(), func(l fileLock) bool { found[l]++; return true })
	if err != nil || found[whole] != 1 || found[byteLock] != 1 {
		t.Errorf("eachSystemLock finds %v, %v, want %v and %v", found, err, whole, byteLock)
	}
}
