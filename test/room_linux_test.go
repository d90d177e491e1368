package test

import (
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestClosedViewsGiveWay opens and closes views in a process that may not have
// addresses for many of them. Their bytes were handed out, so they keep their
// addresses until those are needed.
func TestClosedViewsGiveWay(t *testing.T) {
	if !alone(t) {
		return
	}
	const size, room = 64 << 20, 300 << 20
	sparse := &filemap.CreateOptions{Sparse: true}
	m := created(t, filemaptest.New(t).Name("large"), size, sparse)
	limit := uint64(statusOf(t, "VmSize")<<10 + room)
	succeed(t, "Setrlimit", unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: limit, Max: limit}))
	for range 30 {
		v, err := m.View(0, 0) // nothing refers to it after the round
		succeed(t, "View", err)
		_, err = v.Bytes()
		succeed(t, "Bytes", err)
		closed(t, v)
	}
}

// TestLimitOnMaps opens a mutex in a process that has as many maps as it may.
func TestLimitOnMaps(t *testing.T) {
	if !alone(t) {
		return
	}
	m, err := waitable.CreateMutex("", nil)
	keepOpen(t, m, err)
	const most = 1_000_000
	maps := make([][]byte, 0, most)
	debug.SetGCPercent(-1) // the collector and the heap can't grow where there is no room
	runtime.KeepAlive(make([]byte, 16<<20))
	runtime.GC()
	for i := range most {
		prot := unix.PROT_READ << (i % 2) // unlike its neighbor's: they stay two
		data, err := unix.Mmap(-1, 0, os.Getpagesize(), prot, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			break
		}
		maps = append(maps, data)
	}
	_, err = waitable.CreateMutex("", nil)
	for _, data := range maps {
		succeed(t, "Munmap", unix.Munmap(data))
	}
	if len(maps) == most {
		t.Skip("needs a limit on maps")
	}
	expect(t, "CreateMutex", err, object.ErrNoSpace)
	if err == nil || !strings.Contains(err.Error(), "vm.max_map_count") {
		t.Errorf("CreateMutex: %v", err)
	}
	t.Logf("figures: at the limit on maps: %v", err)
	m, err = waitable.CreateMutex("", nil)
	keepOpen(t, m, err)
}

// statusOf returns a number in this process's status: proc_pid_status(5).
func statusOf(t *testing.T, field string) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	succeed(t, "reading the status", err)
	n, err := strconv.Atoi(string(regexp.MustCompile(field + `:\s*(\d+)`).FindSubmatch(status)[1]))
	succeed(t, "Atoi", err)
	return n
}
