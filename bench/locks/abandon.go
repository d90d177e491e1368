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

// runAbandon kills owners of a mutex that this process waits for.
func runAbandon(r *measure.Runner, results *measure.Report) error {
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
	if r.Rounds > 5 {
		kills = 1000
	}
	var sample []time.Duration
	for i := range kills {
		r.Progress.Show("%s: kill %d of %d", name, i+1, kills)
		took, err := killOwner(m)
		if err != nil {
			return err
		}
		sample = append(sample, took)
	}
	what := fmt.Sprintf("from an owner's death to the next owner, %d kills", kills)
	results.Add(measure.Quantiles(what, sample, 1000, 5000)...)
	return nil
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
	time.Sleep(2 * time.Millisecond) // so that the wait sleeps
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
