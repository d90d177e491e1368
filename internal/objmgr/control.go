package objmgr

import (
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// control returns what the object's control page says. A file without one is
// a mapping.
func (o *Object) control() (layout.Control, error) {
	if !layout.IsControl(o.stat.Mode) {
		return layout.Control{Kind: object.Mapping}, nil
	}
	page := make([]byte, layout.ControlSize)
	n, err := o.m.host.ReadAt(o.fd, page, 0)
	if err != nil {
		return layout.Control{}, err
	}
	return layout.ParseControl(page[:n])
}
