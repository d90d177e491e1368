package test

import (
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
)

// Storms over connections: processes dial, listen under a name, serve the connections
// that they have accepted, and are killed at random moments. Each direction of a
// connection is a stream whose bytes follow from its number and from where they are in
// it. A writer notes in the ledger how much Write has taken: at least that much is read,
// also after the writer was killed, and what is read are the first bytes that were
// written.

// Words of the board that are this storm's own. boardTaken counts the streams
// that were read to their end, boardEnd tells the processes to end.
const (
	boardConns  = boardOwners + iota // that were dialed
	boardBytes                       // that were read
	boardResets                      // streams that ended with their writer's death
	boardMost                        // that one process had accepted at once
)

// TestConnStorm has processes dial that have one session, and others take turns to listen.
func TestConnStorm(t *testing.T) {
	s := newConnStorm(t, 6)
	s.does = func(i int) []string {
		if i%2 == 0 {
			return []string{listenNot, "3", s.name("service")}
		}
		return []string{takeTurns, "0", s.name("service")}
	}
	s.play(effort(t, 200, 10_000))
}

// TestConnRing has each process listen, and dial the next one, so that each has a session
// to either side.
func TestConnRing(t *testing.T) {
	const processes = 8
	s := newConnStorm(t, processes)
	service := func(i int) string { return s.name("service" + strconv.Itoa(i%processes)) }
	s.does = func(i int) []string { return []string{serve, "3", service(i), service(i + 1)} }
	s.play(effort(t, 100, 10_000))
}

// TestCrowdStorm has a thousand connections and more at once, with traffic, while either
// side is killed.
func TestCrowdStorm(t *testing.T) {
	s := newConnStorm(t, 5)
	const dialing = 3
	each := effort(t, 30, 1000)
	s.does = func(i int) []string {
		if i < dialing {
			return []string{listenNot, strconv.Itoa(each), s.name("service")}
		}
		return []string{serve, "0", s.name("service")}
	}
	s.pause = func() { pauseAtMost(time.Duration(each) * 2 * time.Millisecond) }
	s.play(effort(t, 20, 300))
}

// connStorm is a storm over connections.
type connStorm struct {
	*contest
	ns   *filemaptest.Namespace
	does func(i int) []string // the further arguments of process i
}

func newConnStorm(t *testing.T, processes int) *connStorm {
	t.Helper()
	ns := filemaptest.New(t)
	s := &connStorm{contest: newContest(t, ns, "conn", processes), ns: ns}
	s.command = func(i int, role string, arguments []string) *exec.Cmd {
		arguments = append(arguments, s.name("ledger"))
		return inRole(role, thisBinary(t), append(arguments, s.does(i)...)...)
	}
	return s
}

func (s *connStorm) name(base string) string { return s.ns.Name(base) }

// play has the storm, and checks what the processes found.
func (s *connStorm) play(kills int) {
	m := created(s.t, s.name("ledger"), 2*8*ledgerProcesses, nil)
	s.run(kills)
	s.board.word(boardEnd).Store(1)
	s.awaitEnds()
	s.expectRight()
	b := s.board
	s.t.Logf("figures: conn storm: %d processes, %d kills, %d connections, up to %d at once, "+
		"%d streams read to their end, of %d bytes, %d of them cut by a death, %d violations",
		s.started, s.kills, b.word(boardConns).Load(), b.word(boardMost).Load(), b.word(boardTaken).Load(),
		b.word(boardBytes).Load(), b.word(boardResets).Load(), b.word(boardWrong).Load())
	closed(s.t, m, s.mapping)
	expectNoFiles(s.t)
}

// awaitEnds waits until the processes have ended by themselves.
func (c *contest) awaitEnds() {
	defer c.killAllOrEnded()
	for i, cmd := range c.workers {
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case err := <-ended:
			c.workers[i] = nil
			succeed(c.t, "a process that was told to end", err)
		case <-time.After(watchdog):
			c.t.Errorf("process %d does not end", i)
			return
		}
	}
}
