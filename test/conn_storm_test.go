package test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
)

// A storm over connections: processes dial, listen under one name after each
// other, and serve whom they have accepted, and are killed at random moments.
// Each direction of a connection is a stream whose bytes follow from its number
// and from where they are in it. Who writes tells in the ledger how much Write
// has taken: so much at least is read, also after the writer was killed, and
// what is read are the first bytes that were written.

// Words of the board that are this storm's own. boardTaken counts the streams
// that were read to their end, boardEnd tells the processes to end.
const (
	boardConns  = boardOwners + iota // that were dialed
	boardBytes                       // that were read
	boardResets                      // streams that ended with their writer's death
)

func TestConnStorm(t *testing.T) {
	ns := filemaptest.New(t)
	m := created(t, ns.Name("ledger"), 2*8*ledgerProcesses, nil)
	c := newContest(t, ns, "conn", 6)
	c.command = func(i int, role string, arguments []string) *exec.Cmd {
		way := [...]string{"dial", "listen"}[i%2]
		arguments = append(arguments, ns.Name("ledger"), ns.Name("service"), way)
		return inRole(role, thisBinary(t), arguments...)
	}
	c.run(effort(t, 200, 10_000))
	c.board.word(boardEnd).Store(1)
	c.awaitEnds()
	c.expectRight()
	b := c.board
	t.Logf("figures: conn storm: %d processes, %d kills, %d connections, "+
		"%d streams read to their end, of %d bytes, %d of them cut by a death, %d violations",
		c.started, c.kills, b.word(boardConns).Load(), b.word(boardTaken).Load(),
		b.word(boardBytes).Load(), b.word(boardResets).Load(), b.word(boardWrong).Load())
	closed(t, m, c.mapping)
	expectNoFiles(t)
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
