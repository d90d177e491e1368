package test

import (
	"io/fs"
	"os"
	"runtime"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// The model is what Windows does with mappings, written down as plainly as
// can be: TestModel compares the library with it.

// modelObject is a mapping. It is alive while it has handles; views keep its
// bytes.
type modelObject struct {
	data     []byte
	size     int64 // as its creator asked for
	readOnly bool
	handles  int
}

// modelHandle is an open mapping.
type modelHandle struct {
	of      *modelObject
	access  filemap.Access
	creator bool
}

// modelView is a view. The pages that a copy-on-write view has written are its
// own.
type modelView struct {
	of             *modelObject
	access         filemap.Access
	offset, length int64
	private        map[int64][]byte
}

// names are the live objects. Those that are dead are not there.
type names map[string]*modelObject

func (n names) create(name string, size int64, access filemap.Access) (*modelHandle, error) {
	if n[name] != nil {
		return nil, fs.ErrExist
	}
	o := &modelObject{
		data: make([]byte, roundedSize(size)), size: size,
		readOnly: access != filemap.ReadWrite, handles: 1,
	}
	n[name] = o
	return &modelHandle{o, access, true}, nil
}

// roundedSize is the size that Windows gives a mapping.
func roundedSize(size int64) int64 {
	if runtime.GOOS == "windows" {
		return (size + 4095) &^ 4095
	}
	return size
}

func (n names) open(name string, access filemap.Access) (*modelHandle, error) {
	o := n[name]
	switch {
	case o == nil:
		return nil, fs.ErrNotExist
	case o.readOnly && access == filemap.ReadWrite:
		return nil, fs.ErrPermission
	}
	o.handles++
	return &modelHandle{o, access, false}, nil
}

func (n names) openOrCreate(name string, size int64, access filemap.Access) (*modelHandle, error) {
	if n[name] == nil {
		return n.create(name, size, access)
	}
	return n.open(name, access)
}

func (n names) close(h *modelHandle) {
	h.of.handles--
	for name, o := range n {
		if o.handles == 0 {
			delete(n, name)
		}
	}
}

// size is what the handle's owner sees: only its creator knows what was asked
// for.
func (h *modelHandle) size() int64 {
	if h.creator {
		return h.of.size
	}
	return roundedSize(h.of.size)
}

func (h *modelHandle) view(offset, length int64, access filemap.Access) (*modelView, error) {
	switch {
	case offset < 0 || length < 0 || offset >= h.size() || length > h.size()-offset:
		return nil, object.ErrRange
	case access == filemap.ReadWrite && h.access != filemap.ReadWrite:
		return nil, fs.ErrPermission
	case length == 0:
		length = h.size() - offset
	}
	return &modelView{h.of, access, offset, length, make(map[int64][]byte)}, nil
}

// bytes are what the view shows.
func (v *modelView) bytes() []byte {
	all := append([]byte(nil), v.of.data...)
	for page, data := range v.private {
		copy(all[page*pageSize:], data)
	}
	return all[v.offset : v.offset+v.length]
}

var pageSize = int64(os.Getpagesize())

func (v *modelView) write(p []byte, off int64) error {
	switch {
	case v.access == filemap.ReadOnly:
		return fs.ErrPermission
	case off < 0 || off > v.length || int64(len(p)) > v.length-off:
		return object.ErrRange
	case v.access == filemap.ReadWrite:
		copy(v.of.data[v.offset+off:], p)
		return nil
	}
	for i, b := range p {
		at := v.offset + off + int64(i)
		v.page(at / pageSize)[at%pageSize] = b
	}
	return nil
}

// page returns a page of the view's own.
func (v *modelView) page(page int64) []byte {
	if v.private[page] == nil {
		end := min((page+1)*pageSize, int64(len(v.of.data)))
		v.private[page] = append([]byte(nil), v.of.data[page*pageSize:end]...)
	}
	return v.private[page]
}
