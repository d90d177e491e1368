package objmgr

import (
	"sync"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// controlPages are buffers for control pages.
var controlPages = sync.Pool{New: func() any { return new([layout.ControlSize]byte) }}

// control returns what the object's control page says. A file without one is
// a mapping.
func (o *Object) control() (layout.Control, error) {
	if !layout.IsControl(o.stat.Mode) {
		return layout.Control{Kind: object.Mapping}, nil
	}
	page := controlPages.Get().(*[layout.ControlSize]byte)
	defer controlPages.Put(page)
	n, err := o.m.host.ReadAt(o.fd, page[:], 0)
	if err != nil {
		return layout.Control{}, err
	}
	return layout.ParseControl(page[:n])
}

// writeControl gives a new object's file its control page.
func (m *Manager) writeControl(fd FD, control layout.Control) error {
	page := controlPages.Get().(*[layout.ControlSize]byte)
	defer controlPages.Put(page)
	control.Put(page)
	return m.host.WriteAt(fd, page[:], 0)
}
