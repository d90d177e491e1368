package objmgr

import "testing"

func TestSmallWorlds(t *testing.T) {
	for _, w := range smallWorlds {
		t.Run(w.name, func(t *testing.T) { exploreWorld(t, w) })
	}
}

func TestLargeWorlds(t *testing.T) {
	for _, w := range largeWorlds {
		t.Run(w.name, func(t *testing.T) { walkWorld(t, w) })
	}
}

// TestSeededBugs breaks the machine under the protocol: the oracle must notice.
func TestSeededBugs(t *testing.T) {
	bugs := []struct {
		name string
		host func(*process) Host
	}{
		{"who is alive is not asked", func(p *process) Host { return credulous{p} }},
		{"names are not looked at again", func(p *process) Host { return forgetful{p, make(map[string]Stat)} }},
		{"locks are not exclusive", func(p *process) Host { return generous{p} }},
	}
	for _, bug := range bugs {
		t.Run(bug.name, func(t *testing.T) {
			for _, w := range smallWorlds {
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

// generous gives locks that others have.
type generous struct{ Host }

func (g generous) TryLock(fd FD, exclusive bool) (bool, error) {
	_, err := g.Host.TryLock(fd, exclusive)
	return true, err
}
