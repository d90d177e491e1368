package locks

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

const ownerRole = "owner"

// untilAsleep is how long a wait is left alone, so that it sleeps.
const untilAsleep = 2 * time.Millisecond

// runAbandon kills owners of a mutex that this process waits for, and of one of C's that
// another process waits for.
func runAbandon(r *measure.Runner, results *measure.Report, c *cLocks) error {
	const name = "abandon"
	if !r.Only.MatchString(name) {
		return nil
	}
	m, _, err := waitable.OpenOrCreateMutex(measure.UniqueName(name), nil)
	if err != nil {
		return err
	}
	defer m.Close()
	kills := 20
	if !r.Quick {
		kills = 1000
	}
	var ours, theirs []time.Duration
	line, err := r.Bracket(func() error {
		for i := range kills {
			r.Progress.Show("%s: kill %d of %d", name, i+1, kills)
			took, err := killOwner(m)
			if err != nil {
				return err
			}
			ours = append(ours, took)
			if c == nil {
				continue
			}
			if took, err = c.killOwner(); err != nil {
				return err
			}
			theirs = append(theirs, took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	what := fmt.Sprintf("from an owner's death to the next owner, %d kills", kills)
	results.Add(measure.Between(measure.Quantiles(what, ours, 1000, 5000), line)...)
	if c == nil {
		return nil
	}
	what = "from an owner's death to the next owner of a C: robust pthread mutex"
	results.Add(measure.Between(measure.Quantiles(what, theirs, 0, 0), line)...)
	return c.remove(robustMutex)
}

// killOwner returns the time from the kill to the lock.
func killOwner(m *waitable.Mutex) (time.Duration, error) {
	child, err := measure.InRole(ownerRole, m.Name())
	if err != nil {
		return 0, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return 0, err
	}
	locked := make(chan error, 1)
	var end time.Time
	go func() {
		hold, err := m.Lock(background)
		end = time.Now()
		if err == nil && !hold.Abandoned() {
			err = errors.New("the mutex is not abandoned")
		}
		if err == nil {
			err = hold.Unlock()
		}
		locked <- err
	}()
	time.Sleep(untilAsleep)
	start := time.Now()
	if err := child.Process.Kill(); err != nil {
		return 0, err
	}
	err = <-locked
	_ = child.Wait()
	return end.Sub(start), err
}

// own locks a mutex for good.
func own() error {
	m, err := waitable.OpenMutex(os.Getenv(measure.NameVariable))
	if err != nil {
		return err
	}
	if _, err := m.Lock(background); err != nil {
		return err
	}
	fmt.Println("locked")
	time.Sleep(time.Hour) // to be killed
	return nil
}
