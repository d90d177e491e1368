package mem

import (
	"errors"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/filemap-go/filemap/object"
)

// ReadAt copies len(p) bytes from offset off on. After a fault, p holds
// anything.
func (r *Region) ReadAt(p []byte, off int64) (err error) {
	if err := r.check(off, len(p)); err != nil {
		return r.explain(err, off, len(p))
	}
	if !r.begin() {
		return r.refuse()
	}
	done, panicOnFault := false, debug.SetPanicOnFault(true)
	defer func() {
		if !done { // the test is faster than a call
			r.catch(panicOnFault, recover(), &err)
		}
	}()
	copy(p, r.data[off:])
	done = true
	r.end(panicOnFault)
	return nil
}

// WriteAt copies p to offset off. All of p lies inside the region or nothing
// is written; after a fault, part of it may have been.
func (r *Region) WriteAt(p []byte, off int64) (err error) {
	if err := r.check(off, len(p)); err != nil {
		return r.explain(err, off, len(p))
	}
	if !r.begin() {
		return r.refuse()
	}
	done, panicOnFault := false, debug.SetPanicOnFault(true)
	defer func() {
		if !done { // the test is faster than a call
			r.catch(panicOnFault, recover(), &err)
		}
	}()
	copy(r.data[off:], p)
	done = true
	r.end(panicOnFault)
	return nil
}

// Guard runs f, which may touch the bytes themselves, and returns its error.
func (r *Region) Guard(f func() error) (err error) {
	if !r.begin() {
		return r.refuse()
	}
	done, panicOnFault := false, debug.SetPanicOnFault(true)
	defer func() {
		if !done { // the test is faster than a call
			r.catch(panicOnFault, recover(), &err)
		}
	}()
	err = f()
	done = true
	r.end(panicOnFault)
	return err
}

// Touch reads a word of each page, or adds 0 to it, of a region whose bytes begin
// with a page: nothing changes, not even what others write meanwhile.
func (r *Region) Touch(pageSize int, write bool) error {
	if len(r.data) < 4 {
		return r.ReadAt(make([]byte, 1), 0)
	}
	for off := 0; off < len(r.data); off += pageSize {
		word, err := r.Word32(int64(min(off, len(r.data)-4)) &^ 3)
		if err != nil {
			return err
		}
		if write {
			_, err = word.Add(0)
		} else {
			_, err = word.Load()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// begin reports whether an access may begin. If not, the caller returns what refuse
// does.
func (r *Region) begin() bool {
	if r.inFlight == nil {
		return !r.closed.Load()
	}
	return r.inFlight.Add(1) > 0
}

// refuse ends an access that may not begin.
func (r *Region) refuse() error {
	if r.inFlight != nil {
		r.uncount()
	}
	return os.ErrClosed
}

// uncount takes an access off the count.
func (r *Region) uncount() {
	if r.inFlight.Add(-1) == closing {
		r.detachLast()
	}
}

// detachLast ends Close after the last access, and the last that was refused: each
// may be so for a moment.
//
//go:noinline
func (r *Region) detachLast() { // in line, it would make each access a call slower
	if r.inFlight.CompareAndSwap(closing, over) {
		r.detached <- r.detach()
	}
}

// end ends a guarded access.
func (r *Region) end(panicOnFault bool) {
	debug.SetPanicOnFault(panicOnFault)
	if r.inFlight != nil {
		r.uncount()
	}
	runtime.KeepAlive(r) // see Close
}

// leave is end, deferred: a fault in the region arrives here as a panic and
// leaves as *err.
func (r *Region) leave(panicOnFault bool, err *error) { r.catch(panicOnFault, recover(), err) }

// catch ends a guarded access with what recover returned. A panic other than a
// fault in the region goes on.
func (r *Region) catch(panicOnFault bool, panicked any, err *error) {
	r.end(panicOnFault)
	if panicked != nil {
		*err = r.faultError(panicked)
	}
}

// faultError returns what a recovered panic means, or panics on if it was not
// a fault inside the region.
func (r *Region) faultError(v any) error {
	var fault interface {
		runtime.Error
		Addr() uintptr
	}
	if e, ok := v.(error); !ok || !errors.As(e, &fault) || !r.contains(fault.Addr()) {
		panic(v)
	}
	if r.closed.Load() {
		return os.ErrClosed
	}
	return object.ErrFault
}
