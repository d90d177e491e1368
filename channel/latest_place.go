package channel

import (
	"context"
	"fmt"
	"os"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
)

// LatestDraft is room for the next value in the shared memory, for writing the
// value in place. No other writer can write until it is committed or aborted, so
// do that soon. Readers read and lease the newest value meanwhile.
type LatestDraft struct {
	l      *Latest
	slot   int
	serial uint64
}

// Reserve reserves room for the next value. It waits for other writers as
// [Latest.Write] does, and never for readers.
//
// Reserving a second value, or writing one, before ending the first deadlocks.
func (l *Latest) Reserve() (LatestDraft, error) {
	l.turn.Lock()
	slot, e, a, err := l.tryReserve()
	if a != ring.Done {
		err = l.writeLater(e, a, err, func() (e ring.End, a ring.Attempt, err error) {
			slot, e, a, err = l.tryReserve()
			return e, a, err
		})
	}
	if err != nil {
		l.turn.Unlock()
		return LatestDraft{}, l.check("reserve", err)
	}
	d := LatestDraft{l, slot, l.serial.Add(1)}
	l.drafted.Store(d.serial)
	if l.segment.Closed.Load() { // Close may wait for the draft, or have seen it
		_ = d.Abort()
		return LatestDraft{}, l.check("reserve", os.ErrClosed)
	}
	return d, nil
}

func (l *Latest) tryReserve() (slot int, e ring.End, a ring.Attempt, err error) {
	if l.segment.Closed.Load() {
		return 0, 0, ring.Empty, os.ErrClosed
	}
	err = l.segment.View.Guard(func() (err error) {
		slot, e, a, err = l.slots.Reserve(l.segment.Member.Number)
		return err
	})
	return slot, e, a, err
}

// endDraft ends a draft, unless it was ended before. The caller then has the turn.
func (l *Latest) endDraft(serial uint64) bool {
	return serial != 0 && l.drafted.CompareAndSwap(serial, 0)
}

// Bytes returns the reserved bytes, Size of them. Accesses to them are not checked:
// an access after the handle is closed crashes the program, as with
// [filemap.View.Bytes]. Their initial values are undefined: an earlier value, or
// parts of one. They must not be accessed after Commit or Abort.
func (d LatestDraft) Bytes() []byte {
	if d.l == nil {
		return nil
	}
	return d.l.slots.Value(d.slot)
}

// Commit makes the reserved bytes the newest value.
//
// Returns os.ErrClosed if the draft was committed or aborted before, or the handle
// was closed.
func (d LatestDraft) Commit() error {
	var asleep ring.Sleepers
	err := d.end("commit", func() error {
		d.l.slots.Commit(d.slot)
		asleep = d.l.slots.Bells.Data.TakeAll()
		return nil
	})
	if asleep != (ring.Sleepers{}) {
		d.l.segment.Peers.Wake(asleep)
	}
	return err
}

// Abort gives the room back. The newest value stays what it is.
func (d LatestDraft) Abort() error {
	return d.end("abort", func() error {
		d.l.slots.Abort()
		return nil
	})
}

func (d LatestDraft) end(op string, f func() error) error {
	if d.l == nil {
		return failed(op, "", os.ErrClosed)
	}
	if !d.l.endDraft(d.serial) {
		return d.l.check(op, os.ErrClosed)
	}
	defer d.l.turn.Unlock()
	return d.l.check(op, d.l.segment.View.Guard(f))
}

// LatestLease is a value in the shared memory, for reading it in place. It stays as
// it is until the lease is released, the handle is closed, or the process dies.
// Writers do not wait for it.
type LatestLease struct {
	l      *Latest
	newest ring.Newest // when it was leased
	number int         // of the lease
	serial uint64
}

// Lease leases the newest value, for reading it in place.
//
// Returns [ErrNoValue] if nothing has been written, object.ErrNoSpace if there are
// as many leases as there can be, see [LatestOptions], [ErrTooFast] if a thousand
// attempts each found a value that was replaced before it was leased, and
// object.ErrCorrupt if another process has corrupted the memory.
func (l *Latest) Lease() (LatestLease, error) {
	leased, a, err := l.lease(ring.NoVersion, 1)
	if a != ring.Done && err == nil {
		err = ErrNoValue
	}
	return leased, l.check("lease", err)
}

// Next waits until the newest version is not after, and then does what
// [Latest.Lease] does. If after is 0, it waits only if nothing has been written. If
// ctx ends first, the error wraps context.Cause(ctx).
func (l *Latest) Next(ctx context.Context, after uint64) (LatestLease, error) {
	leased, a, err := l.lease(after, 1)
	if err == nil && a != ring.Done {
		err = l.await(ctx, func(tries int) (a ring.Attempt, err error) {
			leased, a, err = l.lease(after, tries)
			return a, err
		})
	}
	return leased, l.check("lease", err)
}

// lease leases the newest value if it is another than after within so many tries.
// If there is no lease left, it frees those of the dead.
func (l *Latest) lease(after uint64, tries int) (leased LatestLease, a ring.Attempt, err error) {
	leased, a, err = l.tryLease(after, tries)
	if err == ring.ErrNoLease {
		if err = l.reapLeases(); err == nil {
			leased, a, err = l.tryLease(after, tries)
		}
	}
	if err == ring.ErrNoLease {
		err = object.Explain(object.ErrNoSpace, fmt.Sprintf("all %d leases of the value are taken", len(l.leased)))
	}
	return leased, a, err
}

func (l *Latest) tryLease(after uint64, tries int) (leased LatestLease, a ring.Attempt, err error) {
	err = l.segment.View.Guard(func() (err error) {
		var i int
		var n ring.Newest
		for range tries {
			i, n, a, err = l.slots.Lease(l.segment.Member.Number, after)
			if a == ring.Done || err != nil {
				break
			}
		}
		if a == ring.Done {
			leased = LatestLease{l, n, i, l.serial.Add(1)}
			l.leased[i].Store(leased.serial)
		}
		return err
	})
	if a == ring.Done && l.segment.Closed.Load() { // Close may have come before
		_ = leased.Release()
		return LatestLease{}, ring.Empty, os.ErrClosed
	}
	return leased, a, err
}

// reapLeases frees the leases of places whose processes are dead.
func (l *Latest) reapLeases() error {
	for i := range l.leased {
		owner, err := l.leaseOwner(i)
		if err == nil {
			_, err = l.segment.Peers.Reap(owner)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *Latest) leaseOwner(i int) (owner uint16, err error) {
	err = l.segment.View.Guard(func() error {
		owner = l.slots.LeaseOwner(i)
		return nil
	})
	return owner, err
}

// Version returns the version of the value: see [Latest.Read].
func (l LatestLease) Version() uint64 { return l.newest.Version() }

// Bytes returns the value, which must not be changed. Accesses to it are not
// checked: an access after the handle is closed crashes the program, as with
// [filemap.View.Bytes]. The bytes must not be accessed after Release.
func (l LatestLease) Bytes() []byte {
	if l.l == nil {
		return nil
	}
	return l.l.slots.Value(l.newest.Slot())
}

// Release gives the lease back.
//
// Returns os.ErrClosed if the lease was released before, or the handle was closed.
func (l LatestLease) Release() error {
	if l.l == nil {
		return failed("release", "", os.ErrClosed)
	}
	if !l.l.leased[l.number].CompareAndSwap(l.serial, 0) {
		return l.l.check("release", os.ErrClosed)
	}
	return l.l.check("release", l.l.segment.View.Guard(func() error {
		l.l.slots.GiveBack(l.number, l.l.segment.Member.Number)
		return nil
	}))
}
