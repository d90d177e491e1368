package segment

import (
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Snapshot is a copy of what a channel's memory says, for people. The words are read
// one after the other, so they may be of different moments.
type Snapshot struct {
	Preamble
	Rings  []ring.Words
	Hands  []ring.Hand
	Places []ring.Place

	Leases   []uint64 // of a register, and the versions in its slots
	Versions []uint64
}

// TakeSnapshot copies what a mapping says, and returns an object.ErrWrongKind if it is
// not a channel.
func TakeSnapshot(v *filemap.View) (s Snapshot, err error) {
	if v.Len() < placesAt {
		return s, errNoChannel
	}
	if s.Preamble, err = loadPreamble(v); err != nil {
		return s, err
	}
	if s.Rings, err = loadAll[ring.Words](v, WordsAt, wordsSize, int(s.Kind.rings())); err != nil {
		return s, err
	}
	if s.Hands, err = loadAll[ring.Hand](v, s.handsAt(), ring.HandSize, int(s.Preamble.Hands)); err != nil {
		return s, err
	}
	if s.Places, err = loadAll[ring.Place](v, placesAt, ring.Line, int(s.Preamble.places)); err != nil {
		return s, err
	}
	if s.Kind == Latest {
		err = s.addLeases(v)
	}
	return s, err
}

func (s *Snapshot) addLeases(v *filemap.View) (err error) {
	n := s.LeaseLimit()
	if n < 0 || n > ring.LeasesMost {
		return object.ErrCorrupt
	}
	if s.Leases, err = loadAll[uint64](v, leasesAt, 8, n); err != nil {
		return err
	}
	s.Versions, err = loadAll[uint64](v, s.ringsAt(), ring.SlotSize(s.ValueSize()), n+ring.SlotsLeast)
	return err
}

// loadAll loads n values of a size that lie one after the other.
func loadAll[T any](v *filemap.View, at, size int64, n int) ([]T, error) {
	all := make([]T, n)
	for i := range all {
		var err error
		if all[i], err = filemap.Load[T](v, at+int64(i)*size); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// IsFree reports whether no process holds the mutex of a channel's place. It is not
// if this user may not tell.
func IsFree(channel string, number uint16) bool {
	mutex, err := waitable.OpenMutex(placeName(channel, number))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer mutex.Close()
	hold, locked, err := mutex.TryLock()
	if locked {
		_ = hold.Unlock()
	}
	return locked && err == nil
}
