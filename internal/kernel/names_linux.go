package kernel

import (
	"context"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/objmgr"
	"github.com/filemap-go/filemap/object"
)

// Watch returns a channel that gets a value when the name may have come to be.
func Watch(name object.Name) (<-chan struct{}, func(), error) {
	p, err := placeOf(name)
	if err != nil {
		return nil, nil, err
	}
	return p.Watch(name)
}

// Exists reports whether a live object has a name.
func Exists(ctx context.Context, name object.Name) (bool, error) {
	p, err := placeOf(name)
	if err != nil {
		return false, err
	}
	return p.Exists(ctx, name)
}

// Look returns the live object of a name, without its holders.
func Look(ctx context.Context, name object.Name) (Info, error) {
	p, err := placeOf(name)
	if err != nil {
		return Info{}, err
	}
	found, err := p.Look(ctx, name)
	return p.info(found), err
}

// LockedBy implements the contract.
func LockedBy(ctx context.Context, name object.Name, pid int) (Info, bool, error) {
	p, err := placeOf(name)
	if err != nil {
		return Info{}, false, err
	}
	found, err := p.Look(ctx, name)
	if err != nil || found.Kind != object.Mutex || found.Control.State.Token() == 0 {
		return p.info(found), false, err
	}
	id, err := p.host.lockID(found.Inode)
	if err != nil {
		return Info{}, false, err
	}
	locked, err := hasLock(ctx, pid, id, layout.TokenByte+int64(found.Control.State.Token()))
	return p.info(found), locked, err
}

// Find returns the live object of a name.
func Find(ctx context.Context, name object.Name) (Info, error) {
	p, err := placeOf(name)
	if err != nil {
		return Info{}, err
	}
	found, err := p.Find(ctx, name)
	return p.info(found), err
}

// List returns the live objects that this user can see and whose names are
// wanted.
func List(ctx context.Context, wants func(object.Name) bool) ([]Info, error) {
	p, err := placeOf(object.Name{})
	if err != nil {
		return nil, err
	}
	found, err := p.List(ctx, wants)
	var all []Info
	for _, one := range found {
		all = append(all, p.info(one))
	}
	return all, err
}

func (p *place) info(found objmgr.Info) Info {
	info := Info{
		Name: found.Name, UID: int(found.UID), Kind: found.Kind, Size: found.Size,
		Native: p.path(found.File), Holders: found.Holders, Denied: found.Denied,
	}
	if found.Kind != object.Mapping && found.Kind.Known() {
		info.State = p.host.stateOf(found)
	}
	return info
}

// OtherUser returns another user who has a live Local object of a name.
func OtherUser(ctx context.Context, name object.Name) (uid uint32, found bool) {
	p, err := placeOf(name)
	if err != nil {
		return 0, false
	}
	return p.OtherUser(ctx, name)
}

// Clean gives back what dead objects left.
func Clean() (Cleaned, error) {
	p, err := placeOf(object.Name{})
	if err != nil {
		return Cleaned{}, err
	}
	cleaned := Cleaned(p.Clean())
	if parent, err := jobsCgroup(); err == nil {
		sweepCgroups(parent)
	}
	return cleaned, nil
}

// NativeName returns the path of the file that stands for an object.
func NativeName(name object.Name) string {
	p, err := placeOf(name)
	if err != nil || name.IsZero() {
		return ""
	}
	return p.path(p.FileName(name))
}

// Unlink removes a POSIX name.
func Unlink(name object.Name) error {
	p, err := placeOf(name)
	if err != nil {
		return err
	}
	return p.Unlink(name)
}
