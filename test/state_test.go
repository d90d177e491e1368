package test

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/waitable"
)

// TestOnlyWhatIsKnownIsTold puts a locked mutex into states that other processes
// and the system can leave it in, and looks at it from outside: the state tells
// of a mutex what the next one to lock it would find, and an owner only where its
// number is certain to be that of a process that this one sees.
func TestOnlyWhatIsKnownIsTold(t *testing.T) {
	linuxOnly(t, "the system keeps the state to itself")
	const (
		initial = 1 // the first process of this PID namespace
		tokens  = layout.TrustTokens
		died    = layout.MutexDied
	)
	free, held := inspect.State{Signaled: true, Abandoned: true}, inspect.State{}
	mine := inspect.State{Owner: os.Getpid()}
	for _, test := range []struct {
		what  string
		flags uint64 // set
		other bool   // the mutex is of another PID namespace
		low   uint32 // in place of the owner, unless 0
		dead  bool   // no handle has the token
		want  inspect.State
	}{
		{"as it is", 0, false, 0, false, mine},
		{"open elsewhere too", tokens, false, 0, false, mine},
		{"no handle has the token", 0, false, 0, true, free},
		{"the system saw its owner die", 0, false, died, false, free},
		{"it died, and no other has the token", tokens, false, died, true, free},
		{"it died, and another has the token", tokens, false, died, false, held},
		{"healed", tokens, false, layout.OwnerUnknown, false, held},
		{"a number of another namespace", tokens, true, initial, false, held},
		{"that of a process that does not have it open", tokens, false, initial, false, held},
	} {
		t.Run(test.what, func(t *testing.T) {
			name := filemaptest.New(t).Name("m")
			m, err := waitable.CreateMutex(name, nil)
			succeed(t, "CreateMutex", err)
			defer m.Close()
			_, locked, err := m.TryLock()
			if !locked || err != nil {
				t.Fatalf("TryLock: %v, %v", locked, err)
			}
			o, err := inspect.Find(t.Context(), name)
			succeed(t, "Find", err)
			rewrite(t, o.Native, func(flags, state uint64) (uint64, uint64) {
				flags |= test.flags
				if test.other {
					flags += 1 << 32
				}
				if test.low != 0 {
					state = state>>32<<32 | uint64(test.low)
				}
				if test.dead {
					state += 1 << 32
				}
				return flags, state
			})
			o, err = inspect.Find(t.Context(), name)
			succeed(t, "Find", err)
			if o.State != test.want {
				t.Errorf("the state is told as %+v, want %+v", o.State, test.want)
			}
		})
	}
}

// rewrite changes the flags and the state in a control page.
func rewrite(t *testing.T, path string, change func(flags, state uint64) (uint64, uint64)) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	succeed(t, "OpenFile", err)
	defer file.Close()
	page := make([]byte, layout.ControlSize)
	_, err = file.ReadAt(page, 0)
	succeed(t, "ReadAt", err)
	le := binary.LittleEndian
	flags, state := change(le.Uint64(page[layout.FlagsAt:]), le.Uint64(page[layout.StateAt:]))
	le.PutUint64(page[layout.FlagsAt:], flags)
	le.PutUint64(page[layout.StateAt:], state)
	_, err = file.WriteAt(page[layout.FlagsAt:layout.FlagsAt+8], layout.FlagsAt)
	succeed(t, "WriteAt", err)
	_, err = file.WriteAt(page[layout.StateAt:layout.StateAt+8], layout.StateAt)
	succeed(t, "WriteAt", err)
}
