package test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// Words of the board that are this test's own: each round has a channel of a new
// name, because little comes of one whose preamble is nonsense.
const (
	boardRound   = boardOwners + iota
	boardWrites  // words that were written
	boardRight   // calls without an error
	boardCorrupt // calls that found the memory corrupt
)

const roundTime = 50 * time.Millisecond

// TestHostileChannels has one process write nonsense over the memory of channels
// that two others use.
func TestHostileChannels(t *testing.T) {
	for _, kind := range []string{"queue", "topic", "latest", "conn"} {
		t.Run(kind, func(t *testing.T) {
			ns := filemaptest.New(t)
			c := newContest(t, ns, "abuse", 3)
			c.command = func(i int, role string, arguments []string) *exec.Cmd {
				if i == 0 {
					role = "scribble"
				}
				return inRole(role, thisBinary(t), append(arguments, kind, ns.Name(""))...)
			}
			t.Cleanup(c.killAllOrEnded)
			for i := range c.workers {
				c.start(i)
			}
			c.awaitStarted()
			c.awaitWord(boardWrites)
			for range effort(t, 16, 600) {
				c.board.word(boardRound).Add(1)
				time.Sleep(roundTime)
			}
			c.board.word(boardEnd).Store(1)
			c.awaitEnds()
			b := c.board
			calls := b.word(boardTaken).Load()
			t.Logf("figures: hostile bytes from another process: %s: "+
				"%d calls, %d of them failed, %d as corrupt, under %d writes", kind, calls,
				calls-b.word(boardRight).Load(), b.word(boardCorrupt).Load(), b.word(boardWrites).Load())
		})
	}
}

// roundName returns the name of the channel of a round.
func (c *contender) roundName(rest []string) string {
	return fmt.Sprint(rest[0], c.word(boardRound).Load()) + rest[1]
}

// abuseChannels is the role of a process that uses channels of a kind, round by
// round, with several goroutines.
func abuseChannels(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	count := func(err error) {
		c.word(boardStarted).Store(1)
		c.word(boardTaken).Add(1)
		if err == nil {
			c.word(boardRight).Add(1)
		}
		if errors.Is(err, object.ErrCorrupt) {
			c.word(boardCorrupt).Add(1)
		}
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for c.word(boardEnd).Load() == 0 {
				abusers[rest[0]](c.roundName(rest), time.Now().Add(roundTime), count)
			}
		})
	}
	all.Wait()
	return nil
}

// scribbleOver is the role of a process that maps the memory of channels, as any
// process may that can open them, and writes to it.
func scribbleOver(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	for c.word(boardEnd).Load() == 0 {
		found, err := inspect.List(context.Background(), c.roundName(rest)+"*")
		if err != nil {
			return err
		}
		for _, o := range found {
			if o.Kind == object.Mapping.String() {
				c.scribbleMapping(o.Name)
			}
		}
	}
	return nil
}

// scribbleMapping writes to a mapping, unless it is gone by now.
func (c *contender) scribbleMapping(name string) {
	m, err := filemap.Open(name, nil)
	if err != nil {
		return
	}
	defer m.Close()
	v, err := m.View(0, 0)
	if err != nil {
		return
	}
	defer v.Close()
	// A writer of a Latest who seems to live is waited for, for ten seconds.
	defer func() { _ = filemap.Store(v, sendingEnd, uint64(0)) }()
	for range rand.IntN(20) {
		for range rand.IntN(64) {
			c.word(boardWrites).Add(1)
			_ = filemap.Store(v, target(v), rand.Uint64()>>rand.IntN(64)<<rand.IntN(64))
		}
		time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
	}
}

const (
	sendingEnd = 128

	// connCapacity is where a Listener says how much memory a connection takes,
	// up to 8 GiB.
	connCapacity = 192
)

// target returns where to write: most often to what steers, but not where it
// would make others fill the machine's memory.
func target(v *filemap.View) int64 {
	limit := int64(v.Len())
	switch rand.IntN(4) {
	case 0:
		limit = 512
	case 1:
		limit = 4096
	}
	for {
		if at := rand.Int64N(limit/8) * 8; at != connCapacity {
			return at
		}
	}
}
