package kernel

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

func birthTestName(t *testing.T) object.Name {
	return object.Name{Base: fmt.Sprintf("%s-%d", t.Name(), os.Getpid())}
}

// TestVeil looks at a mapping from within its Init, as this package does and as a
// program does that knows nothing of births.
func TestVeil(t *testing.T) {
	name := birthTestName(t)
	m, err := CreateMapping(MappingSpec{Name: name, Size: 100, Init: func(*Mapping) error {
		_, err := sys.OpenFileMapping(sys.FILE_MAP_READ, win32Name(name))
		if err != sys.ERROR_ACCESS_DENIED {
			t.Errorf("OpenFileMapping: %v, want access denied", err)
		}
		_, err = CreateMapping(MappingSpec{Name: name, Size: 100})
		if !errors.Is(err, object.ErrExist) {
			t.Errorf("CreateMapping: %v, want that it exists", err)
		}
		all, err := List(t.Context(), func(object.Name) bool { return true })
		if err != nil {
			t.Error(err)
		}
		for _, info := range all {
			if strings.HasPrefix(info.Name.Base, birthPrefix) {
				t.Errorf("%v is listed", info.Name)
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := OpenMapping(t.Context(), name, object.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	opened.Close()
	m.Close()
}

// TestVeilLeavesNoTrace compares who may use a mapping after its Init with who
// may use one without.
func TestVeilLeavesNoTrace(t *testing.T) {
	user, _, err := sys.User()
	if err != nil {
		t.Fatal(err)
	}
	for _, security := range []*object.Security{
		nil, {}, {Everybody: object.ShareRead}, {SDDL: "D:(A;;GR;;;WD)"}, {SDDL: "O:" + user},
	} {
		if security == nil && onWine() {
			continue // it gives such objects no list at all
		}
		var lists [2]string
		for i, init := range []func(*Mapping) error{nil, func(*Mapping) error { return nil }} {
			m, err := CreateMapping(MappingSpec{
				Name: birthTestName(t), Size: 100, Security: security, Init: init,
			})
			if err != nil {
				t.Fatalf("%+v: %v", security, err)
			}
			access, err := sys.Access(m.section)
			if err != nil {
				t.Fatal(err)
			}
			lists[i] = access.String()
			m.Close()
		}
		if lists[0] != lists[1] {
			t.Errorf("%+v: without Init %s, with Init %s", security, lists[0], lists[1])
		}
	}
}

// TestTimerIsBornSet opens a timer as soon as it can, and asks the system at once
// whether it is set.
func TestTimerIsBornSet(t *testing.T) {
	name := birthTestName(t)
	const rounds = 300
	done := make(chan struct{})
	var openers sync.WaitGroup
	met := make(chan struct{}, 2*rounds)
	for range 2 {
		openers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				timer, err := OpenSync(name, object.Timer)
				if errors.Is(err, object.ErrNotExist) {
					continue
				} else if err != nil {
					t.Error(err)
					return
				}
				info, err := sys.QueryTimer(timer.handle)
				if err != nil || info.Remaining <= 0 {
					t.Errorf("the timer is not set: %+v, %v", info, err)
				}
				timer.Close()
				select {
				case met <- struct{}{}:
				default:
				}
			}
		})
	}
	spec := SyncSpec{Name: name, Kind: object.Timer, Schedule: &Schedule{After: time.Hour}}
	for range rounds {
		timer, err := CreateSync(spec)
		for errors.Is(err, object.ErrExist) { // an opener has yet to close the last one
			timer, err = CreateSync(spec)
		}
		if err != nil {
			t.Fatal(err)
		}
		<-met
		timer.Close()
	}
	close(done)
	openers.Wait()
}
