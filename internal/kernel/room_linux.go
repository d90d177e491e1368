package kernel

import (
	"bytes"
	"fmt"
	"os"
	"strconv"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// withRoom maps pages. If the system has no room for them, it does so once more
// when what closed views and pages still take has been given back.
func withRoom(mmap func() ([]byte, error)) ([]byte, error) {
	pages, err := mmap()
	if err == sys.ENOMEM {
		mem.Reclaim(func() bool {
			pages, err = mmap()
			return err != sys.ENOMEM
		})
	}
	if err == sys.ENOMEM {
		return nil, noRoom()
	}
	return pages, err
}

// noRoom returns an error for the lack of addresses, or of maps if it is that.
func noRoom() error {
	const about = 100 // Go's runtime has some to spare
	maps, limit := countMaps(), maxMaps()
	if limit == 0 || maps < limit-about {
		return object.ErrNoSpace
	}
	return object.Explain(object.ErrNoSpace, fmt.Sprintf(
		"this process has %d memory maps, and the system's limit is %d: "+
			"close handles and views, or raise vm.max_map_count", maps, limit))
}

// maxMaps returns how many maps a process may have, or 0.
func maxMaps() int {
	text, _ := os.ReadFile("/proc/sys/vm/max_map_count")
	limit, _ := strconv.Atoi(string(bytes.TrimSpace(text)))
	return limit
}

// countMaps returns how many maps this process has. It takes little memory:
// there may be no more.
func countMaps() (maps int) {
	file, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0
	}
	defer file.Close()
	for buf := make([]byte, 4096); ; {
		n, err := file.Read(buf)
		maps += bytes.Count(buf[:n], []byte("\n"))
		if err != nil {
			return maps
		}
	}
}
