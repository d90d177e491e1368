//go:build filemap_steps

package ring

import (
	"bytes"
	"cmp"
	"fmt"
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// latestWorld is a value, and what its actors found wrong. Actor i has place i+1.
type latestWorld struct {
	Slots
	step.Schedule
	actors []*step.Actor
	wrong  error
}

const worldSize = 16

func newLatestWorld(leases int, does []func(*latestWorld, uint16)) *latestWorld {
	w := &latestWorld{Slots: NewSlots(heapRing(1<<12), worldSize, make([]uint64, leases))}
	writes(2)(w, 1)
	for i, do := range does {
		w.actors = append(w.actors, w.Add(func() { do(w, uint16(i+1)) }, nil))
	}
	return w
}

func (w *latestWorld) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
	}
}

// bury frees what a place has if its actor has ended.
func (w *latestWorld) bury(owner uint16) {
	if owner > 0 && w.actors[owner-1].Ended() {
		w.Release(owner)
	}
}

// writes writes values that tell their versions, and always finds a slot.
func writes(values int) func(*latestWorld, uint16) {
	return func(w *latestWorld, owner uint16) {
		for range values {
			at, _, a, err := w.Reserve(owner)
			switch {
			case err != nil:
				w.fail("reserve: %v", err)
			case a != Done:
				w.bury(a.Owner())
			default:
				w.all[at].put(numbered(w.Slots.Newest().next(), worldSize))
				w.Commit(at)
			}
		}
	}
}

// leases leases the newest value, which then stays what it is.
func leases(times int) func(*latestWorld, uint16) {
	return func(w *latestWorld, owner uint16) {
		for range times {
			i, n, a, err := w.Lease(owner, NoVersion)
			switch {
			case err == ErrNoLease:
				for i := range w.leases {
					w.bury(lease(w.leases[i]).owner())
				}
			case a != Done:
				w.fail("lease: %v", err)
			default:
				for range 2 {
					w.expect("leased", n.Version(), w.all[n.Slot()].value)
					step.Here()
				}
				w.GiveBack(i, owner)
			}
		}
	}
}

// copies copies the newest value.
func copies(w *latestWorld, _ uint16) {
	buffer := make([]byte, worldSize)
	version, a, err := w.Read(buffer, NoVersion)
	if err != nil || a != Done {
		w.fail("read: %v", err)
	}
	w.expect("copied", version, buffer)
}

func (w *latestWorld) expect(what string, version uint64, value []byte) {
	if !bytes.Equal(value, numbered(version, worldSize)) {
		w.fail("%s version %d: % x", what, version, value)
	}
}

// check returns what was wrong, or is wrong at the end.
func (w *latestWorld) check(dead int) error {
	if n := w.Slots.Newest().Version(); dead == 0 && n != w.Send.Messages {
		w.fail("version %d after %d writes", n, w.Send.Messages)
	}
	for i := range w.actors {
		w.Release(uint16(i + 1))
	}
	for i, word := range w.leases {
		if word != 0 {
			w.fail("lease %d is left: %#x", i, word)
		}
	}
	before := w.Slots.Newest().Version()
	writes(6)(w, 1)
	copies(w, 1)
	if now := w.Slots.Newest().Version(); now != before+6 {
		w.fail("version %d after 6 writes to %d", now, before)
	}
	return w.wrong
}

// TestLatestWorlds has processes write, lease and copy values in all orders with a
// few interruptions and deaths.
func TestLatestWorlds(t *testing.T) {
	type does = []func(*latestWorld, uint16)
	for name, world := range map[string]struct {
		leases, interruptions, deaths int
		does                          does
	}{
		"one writes, two lease":      {2, 2, 0, does{leases(1), leases(1), writes(5)}},
		"more lease than can":        {1, 2, 0, does{leases(1), leases(1), writes(5)}},
		"two write":                  {1, 2, 0, does{writes(2), writes(2)}},
		"one leases late":            {1, 3, 0, does{leases(2), writes(5)}},
		"a reader or a writer dies":  {1, 1, 1, does{leases(2), writes(4), leases(2)}},
		"one of two writers dies":    {1, 1, 1, does{writes(2), writes(3), leases(1)}},
		"one copies, another leases": {1, 2, 0, does{copies, leases(1), writes(5)}},
	} {
		t.Run(name, func(t *testing.T) {
			e := step.Explorer{Interruptions: world.interruptions, Deaths: world.deaths}
			runs := 0
			for more := true; more; more = e.Advance() {
				w := newLatestWorld(world.leases, world.does)
				if err := cmp.Or(w.Play(e.Choose), w.check(e.Dead())); err != nil {
					t.Fatalf("order %d: %v", runs, err)
				}
				runs++
			}
			t.Logf("figures: scheduler: latest: %s: %d orders", name, runs)
		})
	}
}
