package test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// stormPermits is how many permits there are to fight for.
const stormPermits = 3

// keepMutexes keeps mutexes alive until the test ends, and returns their names.
func keepMutexes(t *testing.T, ns *filemaptest.Namespace, n int) (names []string) {
	t.Helper()
	for i := range n {
		base := "m" + strconv.Itoa(i)
		newMutex(t, ns, base)
		names = append(names, ns.Name(base))
	}
	return names
}

func keepSemaphore(t *testing.T, name string) *waitable.Semaphore {
	t.Helper()
	s, err := waitable.CreateSemaphore(name, stormPermits, stormPermits,
		&waitable.SemaphoreOptions{Tracked: true})
	return keepOpen(t, s, err)
}

// withTimeout is how long an answer may take: it comes at once unless somebody
// was killed, and then perhaps never.
func withTimeout(killed bool) (context.Context, context.CancelFunc) {
	if killed {
		return context.WithTimeout(context.Background(), time.Second)
	}
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// contender is one process of a contest.
type contender struct {
	*board
	id    uint64 // not 0
	place int
}

// newContender reads the arguments that all roles begin with: the process's
// number and the board's name.
func newContender(arguments []string) (*contender, []string, error) {
	go endWithParent()
	n, err := strconv.Atoi(arguments[0])
	if err != nil {
		return nil, nil, err
	}
	m, err := filemap.Open(arguments[1], nil)
	if err != nil {
		return nil, nil, err
	}
	b, err := openBoard(m)
	return &contender{b, uint64(n) + 1, place(n)}, arguments[2:], err
}

// endWithParent ends this process soon after the one that started it in its role,
// which may be killed and then kills nobody.
func endWithParent() {
	const elsewhere = 0 // in another PID namespace
	for {
		parent := os.Getppid()
		if parent != elsewhere && strconv.Itoa(parent) != os.Getenv(parentVariable) {
			os.Exit(roleFailed)
		}
		time.Sleep(time.Second)
	}
}

// wrong notes a violation.
func (c *contender) wrong(format string, args ...any) {
	c.word(boardWrong).Add(1)
	fmt.Fprintf(os.Stderr, "process %d: "+format+"\n", append([]any{c.id}, args...)...)
}

// deadline is long enough for every wait that ends.
func deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 20*time.Second)
}

// fightForMutexes is the role of a process that takes mutexes, one or two
// neighbours of them at once, until it is killed. Its further arguments are
// their names.
func fightForMutexes(arguments []string) error {
	c, names, err := newContender(arguments)
	if err != nil {
		return err
	}
	var mutexes []waitable.Object
	for _, name := range names {
		m, err := waitable.OpenMutex(name)
		if err != nil {
			return err
		}
		mutexes = append(mutexes, m)
	}
	for {
		first := rand.IntN(len(mutexes))
		if err := c.takeMutexes(mutexes, first, (first+1)%len(mutexes)); err != nil {
			c.wrong("%v", err)
			return err
		}
	}
}

func (c *contender) takeMutexes(mutexes []waitable.Object, i, j int) error {
	ctx, cancel := deadline()
	defer cancel()
	wanted, at := []waitable.Object{mutexes[i]}, []int{i}
	if i != j {
		wanted, at = append(wanted, mutexes[j]), append(at, j)
	}
	r, err := waitable.All(ctx, wanted...)
	if err != nil {
		return err
	}
	for k, hold := range r.Holds {
		c.enter(at[k], hold)
	}
	c.word(boardTaken).Add(1)
	c.word(boardStarted).Store(1)
	if rand.IntN(4) == 0 {
		time.Sleep(time.Duration(rand.IntN(100)) * time.Microsecond)
	}
	for k, hold := range r.Holds {
		c.leave(at[k])
		if err := hold.Unlock(); err != nil {
			return err
		}
	}
	return nil
}

// enter puts this process's name on a mutex. That of another is there still if
// it died with it, and only then.
func (c *contender) enter(i int, hold waitable.Hold) {
	last := c.word(boardOwners + i).Swap(c.id)
	if hold.Abandoned() {
		c.word(boardAbandons).Add(1)
	}
	switch {
	case last != 0 && !hold.Abandoned():
		c.wrong("has mutex %d, which process %d has or left abandoned", i, last)
	case last == 0 && hold.Abandoned():
		c.word(boardStray).Add(1) // it died before it had come here, or after
	}
}

func (c *contender) leave(i int) {
	if last := c.word(boardOwners + i).Swap(0); last != c.id {
		c.wrong("had mutex %d, and so had process %d", i, last)
	}
}

// fightForPermits is the role of a process that takes permits of a tracked
// semaphore until it is killed. Its further argument is the semaphore's name.
func fightForPermits(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	s, err := waitable.OpenSemaphore(rest[0])
	if err != nil {
		return err
	}
	for {
		if err := c.takePermit(s); err != nil {
			c.wrong("%v", err)
			return err
		}
	}
}

// takePermit counts permits that are out. Those of the dead stay counted: there
// can't be more of them than there were deaths.
func (c *contender) takePermit(s *waitable.Semaphore) error {
	ctx, cancel := deadline()
	defer cancel()
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	out := c.word(boardInside).Add(1)
	if deaths := c.word(boardPending).Load(); out > stormPermits+deaths {
		c.wrong("%d permits are out, after %d deaths", out, deaths)
	}
	c.word(boardTaken).Add(1)
	c.word(boardStarted).Store(1)
	c.word(boardInside).Add(^uint64(0))
	_, err := s.Release(1)
	return err
}

// answerSignals is the role of a process that answers each signal it takes. Its
// further arguments are the names of the two events.
func answerSignals(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	signal, err := waitable.OpenEvent(rest[0])
	if err != nil {
		return err
	}
	answer, err := waitable.OpenEvent(rest[1])
	if err != nil {
		return err
	}
	for {
		if err := signal.Wait(context.Background()); err != nil {
			return err
		}
		c.word(boardSignals).Add(1)
		if err := answer.Set(); err != nil {
			return err
		}
	}
}
