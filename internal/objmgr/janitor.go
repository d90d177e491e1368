package objmgr

import (
	"errors"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/layout"
)

// What a killed process leaves is dead at once, but its memory is in use until
// somebody gives it back. Every process does so now and then, for all names it
// may remove.
type janitor struct {
	mu   sync.Mutex
	last time.Time
	part int64 // of the directory, which the next round looks at
}

// janitorPause is the least time between two rounds.
const janitorPause = 30 * time.Second

// run cleans if there has been no round for a while. A round looks at one part of
// the directory, so that nobody's files make others' calls slow, however many
// there are.
func (j *janitor) run(m *Manager) {
	if !j.mu.TryLock() {
		return // somebody is at it
	}
	defer j.mu.Unlock()
	if now := time.Now(); j.last.IsZero() || now.Sub(j.last) >= janitorPause {
		j.last = now
		_, j.part = m.cleanPart(j.part)
	}
}

// Cleaned is what a round gave back.
type Cleaned struct {
	Objects int
	Bytes   int64
}

// Clean removes the files of dead objects.
func (m *Manager) Clean() Cleaned {
	total, part := m.cleanPart(0)
	for part != 0 {
		var more Cleaned
		more, part = m.cleanPart(part)
		total.Objects += more.Objects
		total.Bytes += more.Bytes
	}
	return total
}

// cleanPart is Clean for a part of the directory. It returns the next part, or 0
// after the last one.
func (m *Manager) cleanPart(part int64) (total Cleaned, next int64) {
	names, next, err := m.host.Names(part, layout.LocalPrefix(m.host.UID()), layout.GlobalPrefix())
	if err != nil {
		return total, 0
	}
	for _, file := range names {
		if size, ok := m.cleanFile(file); ok {
			total.Objects++
			total.Bytes += size
		}
	}
	return total, next
}

// cleanFile removes a file if it is that of a dead object, or an alias whose
// object is gone. What another program named like one is left alone.
func (m *Manager) cleanFile(file string) (size int64, removed bool) {
	owned, ok := layout.ParseFileName(strings.TrimSuffix(file, layout.AliasSuffix))
	if !ok {
		return 0, false
	}
	o := &Object{m: m, name: owned.Name, file: file}
	var err error
	o.fd, o.stat, err = m.host.Open(file, func(s Stat) (bool, error) { return false, o.checkFile(s) })
	if err != nil {
		return 0, false
	}
	defer m.host.Close(o.fd)
	if dead, err := o.claim(); err != nil || !dead {
		return 0, false
	}
	if _, ok := o.named(); !ok {
		return 0, false
	}
	if err := o.remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, false
	}
	return o.stat.Size, true
}
