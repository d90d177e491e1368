package segment

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Member is a handle's place in the channel. The handle holds the place's mutex as
// long as it lives: that tells the others.
type Member struct {
	Number uint16 // of the place, from 1 on
	Place  *ring.Place
	Hold   waitable.Hold
}

// ErrCrowded: all places are taken. It is an [object.ErrNoSpace].
var ErrCrowded = object.Explain(object.ErrNoSpace, "too many have the channel open")

// join takes a free place, or that of a member that died. Its mutex keeps others
// from taking the same one.
func (s *Segment) join() error {
	places, err := s.Places()
	if err != nil {
		return err
	}
	process := make([]uint64, len(places))
	if err := s.View.Guard(func() error {
		for i := range places {
			process[i] = atomic.LoadUint64(&places[i].Process)
		}
		return nil
	}); err != nil {
		return err
	}
	for _, free := range []bool{true, false} {
		for i := range places {
			if (process[i] == 0) != free {
				continue
			}
			if joined, err := s.joinAt(uint16(i+1), &places[i]); joined || err != nil {
				return err
			}
		}
	}
	return object.Explain(ErrCrowded, fmt.Sprintf("the channel is open %d times: that is the limit", len(places)))
}

// Places returns what the memory has of each place: that of number 1 is the first.
func (s *Segment) Places() ([]ring.Place, error) {
	return filemap.SliceAt[ring.Place](s.View, placesAt, int(s.Shape.places))
}

func (s *Segment) joinAt(number uint16, p *ring.Place) (joined bool, err error) {
	mutex, hold, ok, err := s.lockPlace(number)
	if !ok {
		return false, err
	}
	err = s.View.Guard(func() error {
		step.Here()
		*p = ring.Place{}
		step.Here()
		atomic.StoreUint64(&p.Process, uint64(os.Getpid()))
		return nil
	})
	if err != nil {
		return false, errors.Join(err, mutex.Close())
	}
	s.parts = append(s.parts, mutex)
	s.Member = Member{Number: number, Place: p, Hold: hold}
	return true, nil
}

// PlaceName returns the name of a place's mutex.
func (s *Segment) PlaceName(number uint16) string { return placeName(s.Name, number) }

func placeName(channel string, number uint16) string {
	return channel + "~" + strconv.Itoa(int(number))
}

// lockPlace takes a place's mutex, unless the process that has the place lives.
func (s *Segment) lockPlace(number uint16) (*waitable.Mutex, waitable.Hold, bool, error) {
	mutex, _, err := waitable.OpenOrCreateMutex(s.PlaceName(number), &waitable.MutexOptions{Security: s.Security})
	if err != nil {
		return nil, waitable.Hold{}, false, err
	}
	hold, locked, err := mutex.TryLock()
	if !locked {
		return nil, waitable.Hold{}, false, errors.Join(err, mutex.Close())
	}
	return mutex, hold, true, nil
}

// leave gives the place up. When others can take it, nothing of this process
// touches the memory any more.
func (s *Segment) leave() error {
	_ = s.View.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&s.Member.Place.Process, 0)
		return nil
	})
	return errors.Join(s.View.Close(), s.Member.Hold.Unlock())
}
