package kernel

import (
	"context"
	"sync"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system names an object when it creates it, so others could open it before its
// creator has set the timer or filled the mapping. Such an object is therefore
// created veiled: its access control list grants no rights to anybody, and only the
// handle that created it can be used. When the object is ready it gets the list
// that it would have had from the first. If its creator dies before that, the
// system deletes the object, since no other process can have it open.
//
// Another process that is denied access waits for the birth lock of the name: see
// birthlock_windows.go. Programs that do not know the lock are denied access.

// birth is the making of a veiled object.
type birth struct {
	lock  *Sync // nil of an object without a name
	taken Taken

	veil   *sys.SecurityDescriptor // what the object is made with
	access *sys.SecurityDescriptor // what it gets at the end; nil to leave it
}

// beginBirth takes the birth lock for an object that will have a descriptor. create
// creates an object of the same kind. The caller calls end.
func beginBirth(
	ctx context.Context, name object.Name, descriptor *sys.SecurityDescriptor,
	create func(name string, descriptor *sys.SecurityDescriptor) (sys.Handle, error),
) (b *birth, err error) {
	b = &birth{veil: descriptor}
	if name.IsZero() {
		return b, nil
	}
	if b.lock, b.taken, err = makeBirthLock(ctx, name); err != nil {
		return nil, err
	}
	// Only the system knows which list the object would have had: it gives that to
	// the model.
	model, err := create(win32Name(birthName(name))+".model", descriptor)
	if err == nil {
		b.access, err = sys.Access(model)
	}
	if model != 0 {
		sys.CloseHandle(model)
	}
	if err == nil {
		b.veil, err = sys.WithoutAccess(descriptor)
	}
	if err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

// unveil lets others open the object.
func (b *birth) unveil(handle sys.Handle) error {
	if b.access == nil {
		return nil
	}
	return explain(sys.SetAccess(handle, b.access))
}

// end frees the birth lock, whether the object was created or not.
func (b *birth) end() {
	if b.lock != nil {
		_ = b.lock.Unlock(b.taken)
		b.lock.Close()
	}
}

// bear creates a mapping and calls Init before other processes can open it.
func (spec MappingSpec) bear(descriptor *sys.SecurityDescriptor) (*Mapping, error) {
	b, err := beginBirth(spec.Context, spec.Name, descriptor,
		func(name string, d *sys.SecurityDescriptor) (sys.Handle, error) {
			return sys.CreateFileMapping(sys.NoFile, d, sys.PAGE_READWRITE, 1, name)
		})
	if err != nil {
		return nil, explainCreate(err, spec.Name)
	}
	defer b.end()
	m, err := spec.create(b.veil)
	if err != nil {
		return nil, err
	}
	born := false
	defer func() {
		if !born {
			m.undo()
		}
	}()
	if err = spec.Init(m); err == nil {
		err = b.unveil(m.section)
	}
	if born = err == nil; !born {
		return nil, err
	}
	return m, nil
}

// undo closes a mapping whose Init failed, and gives its file the old size back.
func (m *Mapping) undo() {
	sys.CloseHandle(m.section)
	if m.file != nil {
		m.file.undo()
	}
}

// bear creates a timer and sets it before other processes can open it.
func (spec SyncSpec) bear(descriptor *sys.SecurityDescriptor) (*Sync, error) {
	var none context.Context
	b, err := beginBirth(none, spec.Name, descriptor,
		func(name string, d *sys.SecurityDescriptor) (sys.Handle, error) {
			return sys.CreateWaitableTimer(d, spec.Manual, name)
		})
	if err != nil {
		return nil, explain(err)
	}
	defer b.end()
	if !veilsTimers() {
		b.veil = descriptor
	}
	s, err := spec.create(b.veil)
	if err != nil {
		return nil, err
	}
	if err = s.SetTimer(*spec.Schedule); err == nil {
		err = b.unveil(s.handle)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// veilsTimers reports whether a veiled timer can be set by the handle that created
// it. Not on Wine 8: there timers have no veil, and OpenSync always looks for the
// birth lock of a timer.
var veilsTimers = sync.OnceValue(func() bool {
	nobody, err := sys.WithoutAccess(nil)
	if err != nil {
		return false
	}
	timer, err := sys.CreateWaitableTimer(nobody, false, "")
	if err != nil {
		return false
	}
	sys.CloseHandle(timer)
	return true
})
