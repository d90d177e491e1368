package channel

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

// member is this handle's place among those that have a channel open. It holds
// the mutex of that place as long as it lives: that tells the others.
type member struct {
	number uint16 // of the place, from 1 on
	place  *ring.Place
	hold   waitable.Hold
}

// errCrowded is an [object.ErrNoSpace].
var errCrowded = object.Explain(object.ErrNoSpace, "too many have the channel open")

// join takes a free place, or that of a member that died. Its mutex keeps others
// from taking the same one.
func (s *segment) join() error {
	places, err := s.places()
	if err != nil {
		return err
	}
	process := make([]uint64, len(places))
	if err := s.view.Guard(func() error {
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
	return object.Explain(errCrowded, fmt.Sprintf("the channel is open %d times: that is the limit", len(places)))
}

func (s *segment) places() ([]ring.Place, error) {
	return filemap.SliceAt[ring.Place](s.view, placesAt, int(s.shape.places))
}

func (s *segment) joinAt(number uint16, p *ring.Place) (joined bool, err error) {
	mutex, hold, ok, err := s.lockPlace(number)
	if !ok {
		return false, err
	}
	err = s.view.Guard(func() error {
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
	s.member = member{number: number, place: p, hold: hold}
	return true, nil
}

func (s *segment) placeName(number uint16) string { return placeName(s.name, number) }

func placeName(channel string, number uint16) string {
	return channel + "~" + strconv.Itoa(int(number))
}

// lockPlace takes a place's mutex, unless whoever has the place lives.
func (s *segment) lockPlace(number uint16) (*waitable.Mutex, waitable.Hold, bool, error) {
	mutex, _, err := waitable.OpenOrCreateMutex(s.placeName(number), &waitable.MutexOptions{Security: s.security})
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
func (s *segment) leave() error {
	_ = s.view.Guard(func() error {
		step.Here()
		atomic.StoreUint64(&s.member.place.Process, 0)
		return nil
	})
	return errors.Join(s.view.Close(), s.member.hold.Unlock())
}
