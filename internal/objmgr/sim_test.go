package objmgr

import (
	"context"
	"runtime"
	"slices"
	"testing"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/internal/race"
)

func TestSmallWorlds(t *testing.T) {
	for _, w := range slices.Concat(smallWorlds, makingWorlds, smallSyncWorlds, jobWorlds, keeperWorlds) {
		t.Run(w.name, func(t *testing.T) {
			// A walk is enough on other systems: the protocol says the same there.
			if race.Enabled || runtime.GOOS != "linux" || w.vast && !longRun() {
				walkWorld(t, w)
				return
			}
			exploreWorld(t, w)
		})
	}
}

func TestLargeWorlds(t *testing.T) {
	for _, w := range slices.Concat(largeWorlds, largeMakingWorlds, largeSyncWorlds, largeJobWorlds, largeKeeperWorlds) {
		t.Run(w.name, func(t *testing.T) { walkWorld(t, w) })
	}
}

// notForRaces skips a test of the oracle itself, which takes minutes under the race
// detector and has no races: a simulation does one step at a time.
func notForRaces(t *testing.T) {
	t.Helper()
	if race.Enabled {
		t.Skip("not for the race detector: a simulation does one step at a time")
	}
}

// TestSeededBugs breaks the machine under the protocol: the oracle must notice.
func TestSeededBugs(t *testing.T) {
	notForRaces(t)
	bugs := []struct {
		name string
		host func(*process) Host
	}{
		{"who is alive is not asked", func(p *process) Host { return credulous{p} }},
		{"names are not looked at again", func(p *process) Host { return forgetful{p, make(map[string]Stat)} }},
		{"locks are not exclusive", func(p *process) Host { return generous{p} }},
		{"all names have one byte", func(p *process) Host { return nameless{p, p} }},
		{"names come before content", func(p *process) Host { return hasty{p, make(map[FD][]byte)} }},
	}
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			for _, w := range slices.Concat(makingWorlds, smallWorlds) {
				e := explorer{world: w, wrap: bug.host}
				if err := e.explore(); isViolation(err) {
					t.Logf("found in the world of %s, after %d states", w.name, len(e.ways))
					return
				}
			}
			t.Error("the oracle found nothing")
		})
	}
}

// TestSeededSyncBugs breaks how sleepers are woken.
func TestSeededSyncBugs(t *testing.T) {
	notForRaces(t)
	bugs := []struct {
		name string
		host func(*process) Host
	}{
		{"nobody is woken", func(p *process) Host { return sleepy{p} }},
		{"one is woken, and may die", func(p *process) Host { return thrifty{p} }},
		{"nobody looks after the dead", func(p *process) Host { return trusting{p} }},
	}
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			for _, w := range slices.Concat(smallSyncWorlds, largeSyncWorlds) {
				for seed := range uint64(walks) {
					if s := walk(w, bug.host, seed, false); isViolation(s.failure) {
						t.Logf("found in the world of %s, on way %d", w.name, seed)
						return
					}
				}
			}
			t.Error("the oracle found nothing")
		})
	}
}

// sleepy wakes nobody.
type sleepy struct{ *process }

type sleepyPage struct{ *simPage }

func (sleepyPage) Wake() {}

func (s sleepy) MapPage(fd FD, guarded bool) (Page, error) {
	page, err := s.process.MapPage(fd, guarded)
	return sleepyPage{page.(*simPage)}, err
}

// thrifty wakes one, and nobody looks whether that one lives to go on.
type thrifty struct{ *process }

type thriftyPage struct{ *simPage }

func (t thriftyPage) Wake() {
	t.p.step()
	t.wake(t.p, layout.StateAt, 1)
}

func (t thrifty) MapPage(fd FD, guarded bool) (Page, error) {
	page, err := t.process.MapPage(fd, guarded)
	return thriftyPage{page.(*simPage)}, err
}

func (t thrifty) Park(ctx context.Context, words []Parked, until int64) {
	trusting(t).Park(ctx, words, until)
}

// trusting sleeps until it is woken.
type trusting struct{ *process }

func (t trusting) Park(ctx context.Context, words []Parked, until int64) {
	for i := range words {
		words[i].Watchful = false
	}
	t.process.Park(ctx, words, until)
}

// credulous takes every object for alive.
type credulous struct{ Host }

func (credulous) ByteLocked(FD, int64) (bool, error) { return true, nil }

// forgetful goes on with what a name led to when it was first looked at.
type forgetful struct {
	Host
	seen map[string]Stat
}

func (f forgetful) StatName(name string) (Stat, error) {
	if stat, ok := f.seen[name]; ok {
		return stat, nil
	}
	stat, err := f.Host.StatName(name)
	if err == nil {
		f.seen[name] = stat
	}
	return stat, err
}

// nameless takes the same byte for every name, as version 1 of the format did.
type nameless struct {
	Host
	p *process
}

func onByte(pos int64) int64 {
	if pos >= layout.HandleBytes && pos < 2*layout.HandleBytes {
		return layout.HandleBytes
	}
	return pos
}

func (n nameless) TryLockByte(fd FD, pos int64, exclusive bool) (bool, error) {
	return n.Host.TryLockByte(fd, onByte(pos), exclusive)
}

func (n nameless) UnlockByte(fd FD, pos int64) error { return n.Host.UnlockByte(fd, onByte(pos)) }

func (n nameless) ByteLocked(fd FD, pos int64) (bool, error) {
	return n.Host.ByteLocked(fd, onByte(pos))
}

func (n nameless) FirstLocked(fd FD, pos, length int64) (int64, bool, error) {
	_, locked, err := n.Host.FirstLocked(fd, pos, length)
	return layout.HandleByte(n.p.files[fd].madeFor), locked, err
}

// generous gives locks that others have.
type generous struct{ Host }

func (g generous) TryLock(fd FD, exclusive bool) (bool, error) {
	_, err := g.Host.TryLock(fd, exclusive)
	return true, err
}
