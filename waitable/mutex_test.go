package waitable_test

import (
	"io/fs"
	"sync"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func TestMutexExcludes(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	counter := 0
	var all sync.WaitGroup
	for range 4 { // handles
		m := mutex(t, name)
		for range 3 { // goroutines of each
			all.Go(func() {
				for range 100 {
					hold, err := m.Lock(patient(t))
					if err != nil {
						t.Error(err)
						return
					}
					counter++
					if err := hold.Unlock(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if counter != 4*3*100 {
		t.Errorf("counted %d", counter)
	}
}

func TestMutexIsNotReentrant(t *testing.T) {
	m := mutex(t, filemaptest.New(t).Name("m"))
	hold := lock(t, m)
	expectLocked(t, m)
	_, err := m.Lock(now())
	expect(t, "Lock of what this goroutine holds", err, errNow)
	unlock(t, hold)
	unlock(t, lock(t, m))
}

func TestMutexRelock(t *testing.T) {
	m := mutex(t, filemaptest.New(t).Name("m"))
	hold := lock(t, m)
	succeed(t, "Relock", hold.Relock())
	unlock(t, hold)
	expectLocked(t, m)
	unlock(t, hold)
	expect(t, "one Unlock too many", hold.Unlock(), object.ErrNotOwner)
	expect(t, "Relock after the end", hold.Relock(), object.ErrNotOwner)
	next := lock(t, m)
	expect(t, "Unlock of an old hold", hold.Unlock(), object.ErrNotOwner)
	unlock(t, next)
}

func TestZeroHold(t *testing.T) {
	var hold waitable.Hold
	expect(t, "Unlock", hold.Unlock(), object.ErrNotOwner)
	expect(t, "Relock", hold.Relock(), object.ErrNotOwner)
}

func TestMutexAbandonedByClose(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m, other := mutex(t, name), mutex(t, name)
	lock(t, other)
	got := inBackground(func() error {
		hold, err := m.Lock(patient(t))
		if err == nil && !hold.Abandoned() {
			t.Error("the mutex is not abandoned")
		}
		if err == nil {
			err = hold.Unlock()
		}
		return err
	})
	succeed(t, "Close", other.Close())
	succeed(t, "Lock", receive(t, "Lock", got))
	unlock(t, lock(t, m)) // told once
}

func TestMutexAbandonedByDeath(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	for range 5 {
		p := startPeer(t)
		p.do("mutex", name, 0)
		p.do("lock", name, 0)
		expectLocked(t, m)
		p.kill()
		hold, err := m.Lock(patient(t))
		succeed(t, "Lock", err)
		if !hold.Abandoned() {
			t.Error("the mutex is not abandoned")
		}
		unlock(t, hold)
		unlock(t, lock(t, m))
	}
}

// TestMutexWaiterSurvivesOwner has the owner die while this process waits.
func TestMutexWaiterSurvivesOwner(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	p := startPeer(t)
	p.do("mutex", name, 0)
	p.do("lock", name, 0)
	got := inBackground(func() error {
		hold, err := m.Lock(patient(t))
		if err == nil && !hold.Abandoned() {
			t.Error("the mutex is not abandoned")
		}
		return err
	})
	p.kill()
	succeed(t, "Lock", receive(t, "Lock", got))
}

// TestMutexProtects has processes count in a mapping that a mutex guards.
func TestMutexProtects(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	mutex(t, name)
	number := counter(t, name+"-number")
	const processes, times = 3, 300
	var peers []*peer
	for range processes {
		p := startPeer(t)
		p.do("mutex", name, 0)
		p.begin("count", name, times)
		peers = append(peers, p)
	}
	for _, p := range peers {
		p.end()
	}
	if got := number(); got != processes*times {
		t.Errorf("counted %d, want %d", got, processes*times)
	}
}

func TestCreateMutexTwice(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	mutex(t, name)
	_, err := waitable.CreateMutex(name, nil)
	expect(t, "CreateMutex", err, fs.ErrExist)
	m, created, err := waitable.OpenOrCreateMutex(name, nil)
	closeLater(t, m, err)
	if created {
		t.Error("OpenOrCreateMutex has made what there was")
	}
}

func TestClosedMutex(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	succeed(t, "Close", m.Close())
	expectClosed(t, "Close", m.Close())
	_, err := m.Lock(patient(t))
	expectClosed(t, "Lock", err)
	_, _, err = m.TryLock()
	expectClosed(t, "TryLock", err)
	_, err = waitable.OpenMutex(name)
	expect(t, "OpenMutex of what is gone", err, fs.ErrNotExist)
}

func TestCloseEndsWaits(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	holder, m := mutex(t, name), mutex(t, name)
	hold := lock(t, holder)
	got := inBackground(func() error {
		_, err := m.Lock(patient(t))
		return err
	})
	settle()
	succeed(t, "Close", m.Close())
	expectClosed(t, "Lock", receive(t, "Lock", got))
	unlock(t, hold)
}

// TestLockedMutex makes a mutex locked, and closes it so.
func TestLockedMutex(t *testing.T) {
	for _, base := range []string{"m", ""} {
		name := base
		if base != "" {
			name = filemaptest.New(t).Name(base)
		}
		m, hold, err := waitable.CreateLockedMutex(name, nil)
		closeLater(t, m, err)
		_, locked, err := m.TryLock()
		succeed(t, "TryLock", err)
		if locked || hold.Abandoned() {
			t.Errorf("%q: locked twice %v, abandoned %v", name, locked, hold.Abandoned())
		}
		succeed(t, "Relock", hold.Relock())
		unlock(t, hold)
		unlock(t, hold)
		expect(t, "Unlock once more", hold.Unlock(), object.ErrNotOwner)
		unlock(t, lock(t, m))
	}
	name := filemaptest.New(t).Name("m")
	owner, _, err := waitable.CreateLockedMutex(name, nil)
	closeLater(t, owner, err)
	_, _, err = waitable.CreateLockedMutex(name, nil)
	expect(t, "creating it again", err, fs.ErrExist)
	m := mutex(t, name)
	succeed(t, "Close", owner.Close())
	hold, err := m.Lock(patient(t))
	succeed(t, "Lock", err)
	if !hold.Abandoned() {
		t.Error("the mutex is not abandoned")
	}
	unlock(t, hold)
}
