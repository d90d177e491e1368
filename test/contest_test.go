package test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

// Storms of kills over objects that processes fight for. What they see is in a
// mapping, the board, in words that each names by what it is of.

// board is that mapping.
type board struct{ words []*atomic.Uint64 }

// Words of the board.
const (
	boardStarted  = iota // processes that are at it
	boardTaken           // how often somebody was given what it waited for
	boardAbandons        // how often somebody was told that the owner died
	boardStray           // abandons without a trace of the owner
	boardWrong           // violations: each is printed, too
	boardInside          // permits that are out
	boardPending         // deaths whose permits are still counted
	boardSignals         // taken from the event
	boardOwners          // of the mutexes: who, or 0; eight of them
	boardSlots    = boardOwners + 8
	boardSize     = 64 << 10
)

func openBoard(m *filemap.Mapping) (*board, error) {
	v, err := m.View(0, 0)
	if err != nil {
		return nil, err
	}
	words, err := filemap.SliceAt[atomic.Uint64](v, 0, boardSize/8)
	if err != nil {
		return nil, err
	}
	b := &board{}
	for i := range words {
		b.words = append(b.words, &words[i])
	}
	return b, nil
}

func (b *board) word(i int) *atomic.Uint64 { return b.words[i] }

// contest is the processes of one storm.
type contest struct {
	t         *testing.T
	role      string
	arguments []string
	mapping   *filemap.Mapping // of the board
	board     *board
	workers   []*exec.Cmd
	command   func(i int, role string, arguments []string) *exec.Cmd
	pause     func() // before a kill
	started   int
	kills     int
}

// newContest makes the board. The mapping has the namespace's name "board".
func newContest(t *testing.T, ns *filemaptest.Namespace, role string, processes int) *contest {
	t.Helper()
	m := created(t, ns.Name("board"), boardSize, nil)
	b, err := openBoard(m)
	succeed(t, "the board", err)
	c := &contest{t: t, role: role, mapping: m, board: b, workers: make([]*exec.Cmd, processes)}
	c.command = func(_ int, role string, arguments []string) *exec.Cmd {
		return inRole(role, thisBinary(t), arguments...)
	}
	c.pause = func() { pauseAtMost(4 * time.Millisecond) }
	c.arguments = []string{ns.Name("board")}
	return c
}

func pauseAtMost(most time.Duration) { time.Sleep(rand.N(most)) }

// place returns where a process that is started as the nth has its slot.
func place(n int) int { return boardSlots + n%(boardSize/8-boardSlots) }

func (c *contest) start(i int) {
	id := strconv.Itoa(c.started)
	c.board.word(place(c.started)).Store(0)
	c.workers[i] = begin(c.t, func() *exec.Cmd {
		return c.command(i, c.role, append([]string{id}, c.arguments...))
	})
	c.started++
}

// kill kills a process, and starts another in its place.
func (c *contest) kill(i int) {
	cmd := c.workers[i]
	if cmd == nil {
		return
	}
	c.workers[i] = nil
	c.board.word(boardPending).Add(1)
	_ = cmd.Process.Kill()
	if err := cmd.Wait(); !wasKilled(err) {
		c.t.Errorf("a process ended by itself: %v", err)
	}
	c.kills++
}

// run kills so many processes, at random moments.
func (c *contest) run(kills int) {
	c.t.Cleanup(c.killAll)
	for i := range c.workers {
		c.start(i)
	}
	c.awaitStarted()
	for c.kills < kills && !c.t.Failed() && c.board.word(boardWrong).Load() == 0 {
		c.pause()
		i := rand.IntN(len(c.workers))
		c.kill(i)
		c.start(i)
	}
	c.expectProgress()
}

func (c *contest) awaitStarted() { c.awaitWord(boardStarted) }

// awaitWord waits until a word of the board is not 0.
func (c *contest) awaitWord(i int) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); c.board.word(i).Load() == 0; {
		if time.Now().After(deadline) {
			c.t.Fatal("no process gets anything")
		}
		time.Sleep(time.Millisecond)
	}
}

// expectProgress checks that those who are left go on.
func (c *contest) expectProgress() {
	before := c.board.word(boardTaken).Load()
	for deadline := time.Now().Add(20 * time.Second); c.board.word(boardTaken).Load() < before+10; {
		if time.Now().After(deadline) {
			c.t.Fatal("nobody gets anything any more")
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *contest) killAll() {
	for i := range c.workers {
		c.kill(i)
	}
}

// expectRight checks what the processes found.
func (c *contest) expectRight() {
	if n := c.board.word(boardWrong).Load(); n > 0 {
		c.t.Errorf("%d violations", n)
	}
	if n := c.board.word(boardAbandons).Load(); n > uint64(c.kills) {
		c.t.Errorf("%d abandons of %d kills", n, c.kills)
	}
}

func (c *contest) report(name string) {
	b := c.board
	c.t.Logf("figures: %s: %d processes, %d kills, %d taken, %d abandoned (%d of them between two steps), %d violations",
		name, c.started, c.kills, b.word(boardTaken).Load(), b.word(boardAbandons).Load(),
		b.word(boardStray).Load(), b.word(boardWrong).Load())
}

func TestMutexStorm(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	ns := filemaptest.New(t)
	c := newContest(t, ns, "mutexes", 6)
	c.arguments = append(c.arguments, keepMutexes(t, ns, 1)...)
	c.run(effort(t, 300, 10_000))
	c.killAll()
	c.expectRight()
	c.report("mutex storm")
}

// TestPhilosophersStorm has each process take two of five mutexes at once.
func TestPhilosophersStorm(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	ns := filemaptest.New(t)
	c := newContest(t, ns, "mutexes", 5)
	c.arguments = append(c.arguments, keepMutexes(t, ns, 5)...)
	c.run(effort(t, 200, 10_000))
	c.killAll()
	c.expectRight()
	c.report("philosophers storm")
}

// TestNamespacesStorm has half of the processes live in PID namespaces of their
// own, where their numbers are those of others.
func TestNamespacesStorm(t *testing.T) {
	linuxOnly(t, "it has no PID namespaces")
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	ns := filemaptest.New(t)
	c := newContest(t, ns, "mutexes", 6)
	c.arguments = append(c.arguments, keepMutexes(t, ns, 1)...)
	c.command = func(i int, role string, arguments []string) *exec.Cmd {
		if i%2 == 0 {
			return inRole(role, thisBinary(t), arguments...)
		}
		apart := append([]string{"--pid", "--fork", "--kill-child", thisBinary(t)}, arguments...)
		return inRole(role, "unshare", apart...)
	}
	c.run(effort(t, 200, 5_000))
	c.killAll()
	expectAlone(t, ns.Name("board"))
	c.expectRight()
	c.report("mutex storm across PID namespaces")
}

// expectAlone kills the processes whose command line has a name: unshare may have
// been killed before it had made sure that what it starts dies with it. One that
// has just started holds nothing yet, so the holders of the name don't tell.
func expectAlone(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		others := processesOf(t, name)
		if len(others) == 0 {
			return
		}
		for _, pid := range others {
			if other, err := os.FindProcess(pid); err == nil {
				_ = other.Kill()
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the processes %v of %s do not die", others, name)
		}
	}
}

// processesOf returns the other processes whose command line has a text.
func processesOf(t *testing.T, text string) (all []int) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	succeed(t, "ReadDir", err)
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline") // it may have ended
		if strings.Contains(string(line), text) {
			all = append(all, pid)
		}
	}
	return all
}

func TestSemaphoreStorm(t *testing.T) {
	linuxOnly(t, "it does not track permits")
	ns := filemaptest.New(t)
	s := keepSemaphore(t, ns.Name("s"))
	c := newContest(t, ns, "semaphore", 6)
	c.arguments = append(c.arguments, ns.Name("s"))
	c.run(effort(t, 600, 10_000)) // more than there can be handles: those of the dead don't count
	c.killAll()
	for range stormPermits {
		succeed(t, "Acquire when all are dead", s.Acquire(patience(t)))
	}
	if ok, err := s.TryAcquire(); ok || err != nil {
		t.Errorf("one permit too many: %v, %v", ok, err)
	}
	c.expectRight()
	c.report("tracked semaphore storm")
}

// TestEventStorm signals to processes that are killed while they take the
// signal: one of them, or the next, takes it, and none takes what there is not.
func TestEventStorm(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	ns := filemaptest.New(t)
	signal, answer := newEvent(t, ns, "signal", false, false), newEvent(t, ns, "answer", false, false)
	c := newContest(t, ns, "event", 6)
	c.arguments = append(c.arguments, ns.Name("signal"), ns.Name("answer"))
	signals := effort(t, 300, 10_000)
	c.t.Cleanup(c.killAll)
	for i := range c.workers {
		c.start(i)
	}
	lost := 0
	for n := 1; n <= signals && !t.Failed(); n++ {
		succeed(t, "Set", signal.Set())
		killed := rand.IntN(2) == 0
		if killed {
			i := rand.IntN(len(c.workers))
			c.kill(i)
			c.start(i)
		}
		ctx, cancel := withTimeout(killed)
		err := answer.Wait(ctx)
		cancel()
		if err != nil && !killed {
			t.Errorf("signal %d is lost: %v", n, err)
		}
		if err != nil {
			lost++ // with the one who had taken it, or not taken: take it back
			succeed(t, "Reset", signal.Reset())
			_, _ = answer.TryWait()
		}
		if taken := c.board.word(boardSignals).Load(); taken > uint64(n) {
			t.Errorf("%d signals were taken of %d", taken, n)
		}
	}
	c.killAll()
	c.t.Logf("figures: event storm: %d processes, %d kills, %d signals, %d taken by the dead, none lost or doubled",
		c.started, c.kills, signals, lost)
}
