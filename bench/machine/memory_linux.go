package machine

import (
	"fmt"
	"os"
	"strings"
)

// Memory returns this process's resident memory without what it shares,
// and the kernel's own structures, in bytes.
func Memory() (resident, kernel float64) {
	resident = lineOf("/proc/self/status", "RssAnon:")
	kernel = lineOf("/proc/meminfo", "Slab:") + lineOf("/proc/meminfo", "PageTables:")
	return resident, kernel
}

// lineOf returns the KiB that a line of a file of proc(5) tells, in bytes.
func lineOf(path, field string) float64 {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		var kib float64
		if rest, ok := strings.CutPrefix(line, field); ok {
			fmt.Sscan(rest, &kib)
			return kib * 1024
		}
	}
	return 0
}

// Threads returns how many threads this process has.
func Threads() float64 { return lineOf("/proc/self/status", "Threads:") / 1024 }
