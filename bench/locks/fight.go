package locks

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/gofrs/flock"

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
func runFight(r *measure.Runner, results *measure.Report) error {
	if !r.Only.MatchString(fightRole) {
		return nil
	}
	howLong := r.LapTime * time.Duration(r.Rounds) / 2
	rivals := []rival{
		{"a Mutex", fighter(fightRole, howLong)},
		{"gofrs/flock", fighter(flockRole, howLong)},
	}
	if robust, err := startRobust(howLong); errors.Is(err, exec.ErrNotFound) {
		results.Skip("a robust pthread mutex: needs gcc, on Linux")
	} else if err != nil {
		return err
	} else {
		rivals = append(rivals, rival{"C: a robust pthread mutex", robust})
	}
	ours := 0.0
	for i, one := range rivals {
		r.Progress.Show("two processes fight for %s", one.name)
		rate, err := fightRate(one.start, howLong)
		if err != nil {
			return err
		}
		results.Add(measure.Figure{
			Name: "two processes fight for " + one.name + ": locks", Value: rate, Unit: "/s",
		})
		if i == 0 {
			ours = rate
			continue
		}
		results.Add(measure.Figure{Name: "locks, Mutex / " + one.name, Value: ours / rate, Unit: "x"})
	}
	return nil
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

// fightRate returns how often two processes together lock in a second.
func fightRate(start func() (*exec.Cmd, error), howLong time.Duration) (float64, error) {
	counts := make(chan int, 2)
	failures := make(chan error, 2)
	for range 2 {
		child, err := start()
		if err != nil {
			return 0, err
		}
		go func() {
			text, err := child.Output()
			n, parseErr := strconv.Atoi(string(text))
			counts <- n
			failures <- errors.Join(err, parseErr)
		}()
	}
	total := <-counts + <-counts
	return float64(total) / howLong.Seconds(), errors.Join(<-failures, <-failures)
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
