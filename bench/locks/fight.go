package locks

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

const (
	fightRole = "fight"
	flockRole = "flock"
)

// rival is a lock, and what starts one of two processes that fight for it.
type rival struct {
	name  string
	start func() (*exec.Cmd, error)
}

// runFight has two processes fight for one lock.
func runFight(r *measure.Runner, results *measure.Report, c *cLocks) error {
	if !r.Only.MatchString(fightRole) {
		return nil
	}
	howLong := r.LapTime * time.Duration(r.Rounds) / 2
	rivals := []rival{
		{"a Mutex", fighter(fightRole, howLong)},
		{"gofrs/flock", fighter(flockRole, howLong)},
	}
	if c != nil {
		for _, kind := range []cKind{robustMutex, posixSemaphore} {
			rivals = append(rivals, rival{kind.String(), c.fighter(kind, howLong)})
		}
	}
	ours := 0.0
	for i, one := range rivals {
		r.Progress.Show("two processes fight for %s", one.name)
		var counts [2]int
		line, err := r.Bracket(func() (err error) {
			counts, err = fightFor(one.start, r.Pin)
			return err
		})
		if err != nil {
			return err
		}
		total := counts[0] + counts[1]
		rate := float64(total) / howLong.Seconds()
		all := []measure.Figure{
			{Name: "two processes fight for " + one.name + ": locks", Value: rate, Unit: "/s"},
			{
				Name: "two processes fight for " + one.name + ": the slower's share", Unit: "%",
				Value: 100 * float64(min(counts[0], counts[1])) / float64(total),
			},
		}
		if i == 0 {
			ours = rate
		} else {
			all = append(all, measure.Figure{
				Name: "locks, Mutex / " + one.name, Value: ours / rate, Unit: "x",
			})
		}
		results.Add(measure.Between(all, line)...)
	}
	if c == nil {
		return nil
	}
	return errors.Join(c.remove(robustMutex), c.remove(posixSemaphore))
}

// fighter returns what starts one of two processes in a role.
func fighter(role string, howLong time.Duration) func() (*exec.Cmd, error) {
	name := measure.UniqueName(role)
	return func() (*exec.Cmd, error) {
		child, err := measure.InRole(role, name)
		if err == nil {
			child.Env = append(child.Env, measure.TimeVariable+"="+howLong.String())
		}
		return child, err
	}
}

// fightFor returns how often each of two processes locks. If they are pinned, each has a
// processor of its own.
func fightFor(start func() (*exec.Cmd, error), pin bool) (counts [2]int, err error) {
	one, other, ok := machine.Processors()
	processors := []int{one, other}
	var children [2]*exec.Cmd
	var outputs [2]bytes.Buffer
	for i := range children {
		child, startErr := start()
		if startErr != nil {
			err = startErr
			break
		}
		child.Stdout = &outputs[i]
		if pin && ok {
			err = machine.StartOn(processors[i], child)
		} else {
			err = child.Start()
		}
		if err != nil {
			break
		}
		children[i] = child
	}
	for i, child := range children {
		if child == nil {
			continue
		}
		waitErr := child.Wait()
		var parseErr error
		counts[i], parseErr = strconv.Atoi(outputs[i].String())
		err = errors.Join(err, waitErr, parseErr)
	}
	return counts, err
}

// fight locks and unlocks for some time, and prints how often.
func fight() error {
	m, _, err := waitable.OpenOrCreateMutex(os.Getenv(measure.NameVariable), nil)
	if err != nil {
		return err
	}
	return count(func() error {
		hold, err := m.Lock(background)
		if err != nil {
			return err
		}
		return hold.Unlock()
	})
}

func fightByFlock() error {
	lock := flock.New(os.TempDir() + "/" + os.Getenv(measure.NameVariable))
	defer os.Remove(lock.Path())
	return count(func() error {
		if err := lock.Lock(); err != nil {
			return err
		}
		return lock.Unlock()
	})
}

func count(do func() error) error {
	howLong, err := time.ParseDuration(os.Getenv(measure.TimeVariable))
	if err != nil {
		return err
	}
	n := 0
	for end := time.Now().Add(howLong); time.Now().Before(end); n++ {
		if err := do(); err != nil {
			return err
		}
	}
	_, err = fmt.Print(n)
	return err
}

// lockFile locks and unlocks a file that nobody else wants.
func lockFile(n int) error {
	lock := flock.New(os.TempDir() + "/" + measure.UniqueName("flock"))
	defer os.Remove(lock.Path())
	for range n {
		if err := errors.Join(lock.Lock(), lock.Unlock()); err != nil {
			return err
		}
	}
	return nil
}
