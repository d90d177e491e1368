package measure

import (
	"runtime"

	"github.com/filemap-go/filemap/bench/machine"
)

// Memory is what this process and the system use, in bytes.
type Memory struct{ Heap, Resident, Kernel float64 }

// Footprint collects garbage first.
func Footprint() Memory {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	resident, kernel := machine.Memory()
	return Memory{float64(stats.HeapAlloc), resident, kernel}
}
