package test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// Several processes use one object and note when each operation began, when it
// ended, and what it returned. Is there an order of all operations, each
// between its beginning and its end, in which one process alone would have seen
// the same? Porcupine searches for it: Wing and Gong, 1993; Lowe, 2017.

// step is one operation. The times are those of the system's clock.
type step struct {
	Client    int
	Op        string
	Call, End int64
	OK        bool // a try succeeded
	N         int  // permits there were before a release
	Last      bool // of its process, which must not end with what it holds
}

const (
	linearProcesses = 3
	linearSteps     = 100
	linearPermits   = 2
)

// recordSteps is the role of a process that uses an object. Its arguments are
// its number, the kind and the name.
func recordSteps(arguments []string) error {
	client, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	do, err := stepsOf(arguments[1], arguments[2])
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	var start struct{}
	if err := json.NewDecoder(os.Stdin).Decode(&start); err != nil {
		return err
	}
	for i := range linearSteps {
		s := step{Client: client, Call: time.Now().UnixNano(), Last: i == linearSteps-1}
		if err := do(&s); err != nil {
			return err
		}
		s.End = time.Now().UnixNano()
		if err := encoder.Encode(s); err != nil {
			return err
		}
	}
	return nil
}

// stepsOf returns what does one operation at random.
func stepsOf(kind, name string) (do func(*step) error, err error) {
	switch kind {
	case "mutex":
		m, err := waitable.OpenMutex(name)
		return mutexSteps(m), err
	case "semaphore":
		s, err := waitable.OpenSemaphore(name)
		return semaphoreSteps(s), err
	}
	e, err := waitable.OpenEvent(name)
	return eventSteps(e), err
}

func mutexSteps(m *waitable.Mutex) func(*step) error {
	var hold *waitable.Hold
	return func(s *step) error {
		if hold != nil {
			s.Op = "unlock"
			err := hold.Unlock()
			hold = nil
			return err
		}
		if s.Last {
			return nil
		}
		s.Op = "lock"
		got, ok, err := m.TryLock()
		if s.OK = ok; ok {
			hold = &got
		}
		return err
	}
}

func semaphoreSteps(sem *waitable.Semaphore) func(*step) error {
	return func(s *step) (err error) {
		if rand.IntN(2) == 0 {
			s.Op = "acquire"
			s.OK, err = sem.TryAcquire()
			return err
		}
		s.Op = "release"
		s.N, err = sem.Release(1)
		s.OK = err == nil // else it was full
		return nil
	}
}

func eventSteps(e *waitable.Event) func(*step) error {
	return func(s *step) (err error) {
		switch rand.IntN(5) {
		case 0:
			s.Op = "reset"
			return e.Reset()
		case 1, 2:
			s.Op = "set"
			return e.Set()
		}
		s.Op = "wait"
		s.OK, err = e.TryWait()
		return err
	}
}

// linearModels say what one process alone would see. The state is a number:
// permits that are left, or 1 for what is signaled.
var linearModels = map[string]struct {
	initial int
	next    func(state int, s step) (legal bool, next int)
}{
	"mutex": {1, func(state int, s step) (bool, int) {
		switch s.Op {
		case "unlock":
			return state == 0, 1
		case "lock":
			return s.OK == (state == 1), 0
		}
		return true, state
	}},
	"semaphore": {0, func(state int, s step) (bool, int) {
		switch {
		case s.Op == "acquire" && s.OK:
			return state > 0, state - 1
		case s.Op == "acquire":
			return state == 0, state
		case s.OK:
			return state == s.N && state < linearPermits, state + 1
		}
		return state == linearPermits, state
	}},
	"event": {0, func(state int, s step) (bool, int) {
		switch s.Op {
		case "set":
			return true, 1
		case "reset":
			return true, 0
		}
		return s.OK == (state == 1), 0
	}},
}

func TestLinearizable(t *testing.T) {
	for kind, model := range linearModels {
		t.Run(kind, func(t *testing.T) {
			ns := filemaptest.New(t)
			histories, steps := effort(t, 5, 500), 0
			for n := range histories {
				history := historyOf(t, ns, kind, strconv.Itoa(n))
				steps += len(history)
				if !porcupine.CheckOperations(porcupine.Model{
					Init: func() any { return model.initial },
					Step: func(state, input, _ any) (bool, any) {
						legal, next := model.next(state.(int), input.(step))
						return legal, next
					},
				}, history) {
					t.Fatalf("no order explains %v", history)
				}
			}
			t.Logf("figures: linearizable: %s: %d histories of %d processes, %d operations",
				kind, histories, linearProcesses, steps)
		})
	}
}

// historyOf has processes use a new object, and returns what they did.
func historyOf(t *testing.T, ns *filemaptest.Namespace, kind, base string) []porcupine.Operation {
	t.Helper()
	switch kind {
	case "mutex":
		defer newMutex(t, ns, base).Close()
	case "semaphore":
		defer newSemaphore(t, ns, base, 0, linearPermits).Close()
	default:
		defer newEvent(t, ns, base, false, false).Close()
	}
	var mu sync.Mutex
	var history []porcupine.Operation
	var all sync.WaitGroup
	var starts []func()
	for client := range linearProcesses {
		cmd := inRole("steps", thisBinary(t), strconv.Itoa(client), kind, ns.Name(base))
		stdin, err := cmd.StdinPipe()
		succeed(t, "StdinPipe", err)
		stdout, err := cmd.StdoutPipe()
		succeed(t, "StdoutPipe", err)
		succeed(t, "Start", cmd.Start())
		starts = append(starts, func() { fmt.Fprintln(stdin, "{}") })
		all.Go(func() {
			for decoder := json.NewDecoder(stdout); ; {
				var s step
				if decoder.Decode(&s) != nil {
					break
				}
				mu.Lock()
				history = append(history, porcupine.Operation{
					ClientId: s.Client, Input: s, Call: s.Call, Return: s.End,
				})
				mu.Unlock()
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("process %d: %v", client, err)
			}
		})
	}
	for _, start := range starts {
		start()
	}
	all.Wait()
	return history
}
