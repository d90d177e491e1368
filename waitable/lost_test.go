package waitable_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// removeName removes an object's file, as rm(1) does.
func removeName(t *testing.T, name string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("not for windows: nobody can take a name away")
	}
	info, err := inspect.Find(t.Context(), name)
	succeed(t, "Find", err)
	succeed(t, "Remove", os.Remove(info.Native))
}

func TestMutexLosesItsName(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	hold := lock(t, m)
	succeed(t, "Check", m.Check())
	removeName(t, name)

	expect(t, "Check", m.Check(), object.ErrNameLost)
	second := mutex(t, name)
	unlock(t, lock(t, second)) // beside the first, which is told
	expect(t, "Unlock", hold.Unlock(), object.ErrNameLost)

	_, err := m.Lock(patient(t))
	expect(t, "Lock", err, object.ErrNameLost)
	_, locked, err := m.TryLock()
	expect(t, "TryLock", err, object.ErrNameLost)
	if locked {
		t.Error("TryLock has locked a mutex without a name")
	}
	expect(t, "Unlock of a hold that has ended", hold.Unlock(), object.ErrNotOwner)
	succeed(t, "Check of the second", second.Check())
}

func TestSemaphoreLosesItsName(t *testing.T) {
	name := filemaptest.New(t).Name("s")
	s, err := waitable.CreateSemaphore(name, 1, 2, nil)
	succeed(t, "CreateSemaphore", err)
	defer s.Close()
	succeed(t, "Acquire", s.Acquire(patient(t)))
	removeName(t, name)

	_, err = s.Release(1)
	expect(t, "Release", err, object.ErrNameLost)
	expect(t, "Acquire", s.Acquire(patient(t)), object.ErrNameLost)
	acquired, err := s.TryAcquire()
	expect(t, "TryAcquire", err, object.ErrNameLost)
	if acquired {
		t.Error("TryAcquire has taken a permit of a semaphore without a name")
	}
}

// TestBusyMutexLosesItsName locks too often for a look each time.
func TestBusyMutexLosesItsName(t *testing.T) {
	name := filemaptest.New(t).Name("m")
	m := mutex(t, name)
	for range 1000 {
		unlock(t, lock(t, m))
	}
	removeName(t, name)
	for end := time.Now().Add(watchdog); ; {
		hold, err := m.Lock(patient(t))
		if err == nil {
			err = hold.Unlock()
		}
		if err != nil {
			expect(t, "Lock or Unlock", err, object.ErrNameLost)
			return
		}
		if time.Now().After(end) {
			t.Fatal("nobody was told")
		}
	}
}

func TestUnnamedHasNoNameToLose(t *testing.T) {
	m, err := waitable.CreateMutex("", nil)
	succeed(t, "CreateMutex", err)
	defer m.Close()
	succeed(t, "Check", m.Check())
	unlock(t, lock(t, m))
}
