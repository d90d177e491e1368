package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system names an object when it makes it. What its creator has yet to do,
// set a timer or fill a mapping, nobody must see undone. So the object is made
// veiled: its access control list grants nobody anything, and only the handle that
// made it does anything. When the object is ready it gets the list that it would
// have had. If its creator dies before, the system ends the object, for nobody
// else can have it open.
//
// A process that is denied access looks for the birth lock of the name, a mutex
// that the creator holds meanwhile. If there is one, the process waits for it, and
// tries again. Programs that do not know of that lock are denied access.

// birth is the making of a veiled object.
type birth struct {
	lock  *Sync // nil of an object without a name
	taken Taken

	veil   *sys.SecurityDescriptor // what the object is made with
	access *sys.SecurityDescriptor // what it gets at the end; nil to leave it
}

// birthTime is how long a call without a context waits for a birth.
const birthTime = 2 * time.Second

// birthPrefix begins the names of what births need.
const birthPrefix = "filemap.birth."

// birthName returns the name of an object's birth lock, which is as long for all
// names, and in the directory of the object.
func birthName(name object.Name) object.Name {
	scope := object.Local
	if name.Scope == object.Global {
		scope = object.Global
	}
	sum := sha256.Sum256([]byte(baseName(name)))
	return object.Name{Scope: scope, Base: birthPrefix + hex.EncodeToString(sum[:16])}
}

// beginBirth begins to make an object that is to have a descriptor. create makes
// any object of its kind. The caller calls end.
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
	// Only the system knows which list the object would have had.
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

// end lets others go on who wait, whatever has become of the object.
func (b *birth) end() {
	if b.lock != nil {
		_ = b.lock.Unlock(b.taken)
		b.lock.Close()
	}
}

// makeBirthLock makes the birth lock of a name and locks it, or waits for the
// process that has done so.
func makeBirthLock(ctx context.Context, name object.Name) (*Sync, Taken, error) {
	everybody := &object.Security{Everybody: object.ShareAll} // whom the object may admit
	for {
		lock, taken, err := CreateLocked(SyncSpec{
			Name: birthName(name), Kind: object.Mutex, Security: everybody,
		})
		if errors.Is(err, object.ErrExist) {
			lock, taken, err = takeBirthLock(ctx, name)
		}
		if !errors.Is(err, object.ErrNotExist) {
			return lock, taken, err
		}
	}
}

// takeBirthLock waits for the birth lock of a name: until ctx ends, or for
// birthTime if that is nil.
func takeBirthLock(ctx context.Context, name object.Name) (*Sync, Taken, error) {
	lock, err := openBirthLock(name)
	if err != nil {
		return nil, Taken{}, err
	}
	if ctx == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(context.Background(), birthTime, os.ErrDeadlineExceeded)
		defer cancel()
	}
	taken, err := lock.Wait(ctx)
	if err != nil && ctx.Err() != nil {
		err = object.Explain(err, describeOwner(lock)+
			" is creating this object and has not finished: it may be stopped")
	}
	if err != nil {
		lock.Close()
		return nil, Taken{}, err
	}
	return lock, taken, nil
}

func openBirthLock(name object.Name) (*Sync, error) {
	lock := birthName(name)
	handle, rights, err := openMost(object.Mutex, opener(lock, object.Mutex))
	if err != nil {
		return nil, explain(err)
	}
	return newSync(lock, object.Mutex, handle, rights), nil
}

func describeOwner(lock *Sync) string {
	pid, err := sys.QueryMutexOwner(lock.handle)
	if err != nil || pid == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d", pid)
}

// isUnborn reports whether some process is making an object of a name.
func isUnborn(name object.Name) bool {
	lock, err := openBirthLock(name)
	if err == nil {
		lock.Close()
	}
	return !errors.Is(err, object.ErrNotExist)
}

// onceBorn calls open, and again after each birth of an object of the name, as
// long as open is denied access. It returns an error if a birth does not end.
func onceBorn(ctx context.Context, name object.Name, open func() (denied bool)) error {
	for again := true; open(); {
		lock, taken, err := takeBirthLock(ctx, name)
		switch {
		case err == nil:
			b := birth{lock: lock, taken: taken}
			b.end()
			again = true
		case !errors.Is(err, object.ErrNotExist):
			return err
		case !again:
			return nil // it was not because of a birth
		default:
			again = false // the birth may have ended meanwhile
		}
	}
	return nil
}

// bear makes a mapping and calls Init with it before others may open it.
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

// undo gives up a mapping whose making failed, and leaves its file as it was.
func (m *Mapping) undo() {
	sys.CloseHandle(m.section)
	if m.file != nil {
		m.file.undo()
	}
}

// bear makes a timer and sets it before others may open it.
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

// veilsTimers reports whether the system lets the handle that made a veiled timer
// set it. Wine 8 does not: there, an opener of a timer always looks for its birth.
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

// openBorn opens a synchronization object for the most rights that are granted,
// once it is ready.
func openBorn(name object.Name, kind object.Kind) (handle sys.Handle, rights uint32, err error) {
	var none context.Context
	unfinished := onceBorn(none, name, func() (denied bool) {
		if handle != 0 {
			sys.CloseHandle(handle)
		}
		handle, rights, err = openMost(kind, opener(name, kind))
		if err != nil {
			return err == sys.ERROR_ACCESS_DENIED
		}
		return kind == object.Timer && !veilsTimers()
	})
	if unfinished != nil {
		if handle != 0 {
			sys.CloseHandle(handle)
		}
		return 0, 0, unfinished
	}
	return handle, rights, err
}
