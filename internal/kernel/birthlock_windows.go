package kernel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The birth lock of a name is a mutex that the creator of a veiled object holds
// until the object is ready. It tells other processes how long to wait, and
// protects nothing by itself: the veil does.

// birthTime is how long a call without a context waits for a birth.
const birthTime = 2 * time.Second

// birthPrefix begins the names of birth locks and models.
const birthPrefix = "filemap.birth."

// birthName returns the name of an object's birth lock. It is in the directory of
// the object, and of one length, since an object's name may have the greatest.
func birthName(name object.Name) object.Name {
	scope := object.Local
	if name.Scope == object.Global {
		scope = object.Global
	}
	sum := sha256.Sum256([]byte(baseName(name)))
	return object.Name{Scope: scope, Base: birthPrefix + hex.EncodeToString(sum[:16])}
}

// makeBirthLock creates the birth lock of a name and holds it, or waits until the
// process that holds it unlocks it or dies.
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

// isUnborn reports whether a process is creating a veiled object of a name.
func isUnborn(name object.Name) bool {
	lock, err := openBirthLock(name)
	if err == nil {
		lock.Close()
	}
	return !errors.Is(err, object.ErrNotExist)
}

// onceBorn calls open until it is not denied access, or not because of a birth. It
// returns an error if a birth does not end in time.
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
			return nil
		default:
			again = false // the birth may have ended meanwhile
		}
	}
	return nil
}

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
