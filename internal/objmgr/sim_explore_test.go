package objmgr

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/internal/race"
)

// world is what a simulation begins with.
type world struct {
	name string
	// before are scripts of processes that run one after the other, and to
	// their ends, before those of interest begin. What they open stays open
	// only if the process waits: see keep.
	before []actor
	actors []actor
	kills  int  // how many processes may be killed at any moment
	robust bool // nobody may wait for ever though others were killed
	steady bool // nobody terminates a job
	vast   bool // more than a few ways through it are tried in a long run only
}

// actor is a process to be: a user and a script.
type actor struct {
	uid    uint32
	script func(*process)
}

// begin starts a simulation. wrap puts something between the processes and
// their machine; nil puts nothing.
func (w world) begin(wrap func(*process) Host) *simulation {
	if wrap == nil {
		wrap = func(p *process) Host { return p }
	}
	s := &simulation{
		machine: machine{names: make(map[string]*inode)}, creators: make(map[life]bool), wrap: wrap,
		robust: w.robust, steady: w.steady, guards: make(map[*inode]*guard),
	}
	for _, a := range w.before {
		s.start(a.uid, a.script)
		s.settle()
	}
	s.begun = true
	for _, a := range w.actors {
		s.start(a.uid, a.script)
	}
	s.kills = w.kills
	return s
}

// explorer goes through all that can happen in a world, depth first. A run
// can't be taken back, so each begins anew and repeats the choices up to
// where it is to differ.
type explorer struct {
	world world
	wrap  func(*process) Host
	path  []fork
	ways  map[hash]float64 // from each state seen so far to the ends

	interleavings float64 // all ways through the world, when it is explored
}

// fork is a state on the path.
type fork struct {
	state   hash
	choices []choice
	taken   int     // the choice that the path goes on with
	ways    float64 // to the ends, by the choices before
}

// explore goes through the world and returns what the oracle objected to, with
// the way there.
func (e *explorer) explore() error {
	e.ways = make(map[hash]float64)
	for more := true; more; more = e.advance() {
		ways, err := e.run()
		if err != nil {
			return e.explain(err)
		}
		e.path[len(e.path)-1].ways += ways
	}
	return nil
}

// run repeats the path, and goes on from there to a state that was seen
// before, or to the end. It returns how many ways there are from that one.
func (e *explorer) run() (float64, error) {
	s := e.world.begin(e.wrap)
	defer s.abandon()
	for _, f := range e.path {
		s.take(f.choices[f.taken])
	}
	for s.failure == nil {
		state := s.state()
		if ways, ok := e.ways[state]; ok {
			return ways, nil
		}
		next := s.choices(nil)
		if len(next) == 0 {
			e.ways[state] = 1
			s.finish()
			break
		}
		e.path = append(e.path, fork{state: state, choices: next})
		s.take(next[0])
	}
	return 1, s.failure
}

// advance turns the path to the next thing to try. It reports whether there is
// one.
func (e *explorer) advance() bool {
	for len(e.path) > 0 {
		last := &e.path[len(e.path)-1]
		if last.taken++; last.taken < len(last.choices) {
			return true
		}
		e.ways[last.state] = last.ways
		e.path = e.path[:len(e.path)-1]
		if len(e.path) > 0 {
			e.path[len(e.path)-1].ways += last.ways
		} else {
			e.interleavings = last.ways
		}
	}
	return false
}

// explain repeats the run with a trace of its steps.
func (e *explorer) explain(err error) error {
	s := e.world.begin(e.wrap)
	defer s.abandon()
	s.tracing = true
	for _, f := range e.path {
		s.take(f.choices[f.taken])
	}
	if s.failure == nil {
		s.finish()
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(s.trace, "\n"))
}

// exploreWorld fails the test if something in the world must not happen.
func exploreWorld(t *testing.T, w world) {
	t.Helper()
	e := explorer{world: w}
	if err := e.explore(); err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	t.Logf("figures: %s, up to %d killed: %d states, %.2g interleavings", w.name, w.kills, len(e.ways), e.interleavings)
}

// walks is how many ways through a large world a test tries.
const walks = 20_000

// triedWays is how many of them a test tries: all with FILEMAP_TEST_LONG, and fewer
// still under the race detector, which makes each take ten times as long, and on
// other systems than the one that the protocol is for.
func triedWays() uint64 {
	switch {
	case race.Enabled, runtime.GOOS != "linux":
		return walks / 20
	case !longRun():
		return walks / 3
	}
	return walks
}

func longRun() bool { return os.Getenv("FILEMAP_TEST_LONG") != "" }

// walkSteps is how long such a way can be.
const walkSteps = 5000

// walkWorld fails the test if something in the world must not happen on one of
// many random ways.
func walkWorld(t *testing.T, w world) {
	t.Helper()
	ways := triedWays()
	if w.vast && !longRun() {
		ways /= 4
	}
	for seed := range ways {
		if walk(w, nil, seed, false).failure == nil {
			continue
		}
		s := walk(w, nil, seed, true)
		t.Fatalf("%s: way %d: %v\n%s", w.name, seed, s.failure, strings.Join(s.trace, "\n"))
	}
	t.Logf("figures: %s, up to %d killed: %d random ways", w.name, w.kills, ways)
}

// walk goes one random way through a world. Kills are as likely at its
// beginning as at its end.
func walk(w world, wrap func(*process) Host, seed uint64, tracing bool) *simulation {
	s := w.begin(wrap)
	defer s.abandon()
	s.tracing = tracing
	random := rand.New(rand.NewPCG(seed, 0))
	var next []choice
	for steps := 0; s.failure == nil; steps++ {
		if steps == walkSteps {
			s.fail(s.processes[next[0].process], "does not end")
		}
		if next = s.choices(next[:0]); len(next) == 0 {
			s.finish()
			break
		}
		c := next[random.IntN(len(next))]
		if c.kill && random.IntN(8) > 0 {
			continue
		}
		s.take(c)
	}
	return s
}
