package test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
)

// TestManyObjects holds 10,000 mappings open in one process.
func TestManyObjects(t *testing.T) {
	const objects = 10_000
	ns := filemaptest.New(t)
	heap, resident := memory(t)
	for i := range objects {
		name := fmt.Sprint(ns.Name("Many"), i)
		m, err := filemap.Create(name, 100, &filemap.CreateOptions{Sparse: true})
		if err != nil && strings.Contains(err.Error(), "too many open files") {
			t.Skipf("needs %d file descriptors: got %d", objects, i)
		}
		succeed(t, "Create", err)
		defer m.Close()
	}
	heapThen, residentThen := memory(t)
	start := time.Now()
	list, err := inspect.List(t.Context(), ns.Name("Many")+"*")
	took := time.Since(start)
	succeed(t, "List", err)
	if len(list) != objects || took > watchdog {
		t.Errorf("List: %d objects in %v, want %d", len(list), took, objects)
	}
	for _, o := range list {
		if runtime.GOOS == "linux" && (len(o.Holders) != 1 || o.Holders[0].PID != os.Getpid()) {
			t.Fatalf("%s: holders %v, want this process", o.Name, o.Holders)
		}
	}
	t.Logf("figures: %d objects open in one process: %d bytes of heap each, %d resident, listed in %v",
		objects, (heapThen-heap)/objects, (residentThen-resident)/objects, took.Round(time.Millisecond))
}

// memory returns the bytes in use on Go's heap, and in the whole process on
// Linux.
func memory(t *testing.T) (heap, resident int64) {
	t.Helper()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		pages, err := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
		succeed(t, "statm", err)
		resident = pages * int64(os.Getpagesize())
	}
	return int64(stats.HeapAlloc), resident
}
