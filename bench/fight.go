package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gofrs/flock"

	"github.com/filemap-go/filemap/waitable"
)

const (
	fightRole = "fight"
	flockRole = "flock"
)

// runFight has two processes fight for one lock.
func runFight(r *runner, results *report) error {
	if !r.only.MatchString(fightRole) {
		return nil
	}
	rates := make(map[string]float64)
	for _, role := range []string{fightRole, flockRole} {
		r.progress.show("two processes fight: %s", role)
		rate, err := fightRate(role, r.lapTime*time.Duration(r.rounds)/2)
		if err != nil {
			return err
		}
		rates[role] = rate
	}
	results.Figures = append(results.Figures,
		figure{Name: "two processes fight for a Mutex: locks", Value: rates[fightRole], Unit: "/s"},
		figure{Name: "two processes fight for gofrs/flock: locks", Value: rates[flockRole], Unit: "/s"},
		figure{Name: "Mutex / gofrs/flock", Value: rates[fightRole] / rates[flockRole], Unit: "x"})
	return nil
}

// fightRate returns how often two processes together lock in a second.
func fightRate(role string, howLong time.Duration) (float64, error) {
	name := uniqueName(role)
	counts := make(chan int, 2)
	failures := make(chan error, 2)
	for range 2 {
		child, err := inRole(role, name)
		if err != nil {
			return 0, err
		}
		child.Env = append(child.Env, timeVariable+"="+howLong.String())
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
	m, _, err := waitable.OpenOrCreateMutex(os.Getenv(nameVariable), nil)
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
	lock := flock.New(os.TempDir() + "/" + os.Getenv(nameVariable))
	defer os.Remove(lock.Path())
	return count(func() error {
		if err := lock.Lock(); err != nil {
			return err
		}
		return lock.Unlock()
	})
}

func count(do func() error) error {
	howLong, err := time.ParseDuration(os.Getenv(timeVariable))
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
	lock := flock.New(os.TempDir() + "/" + uniqueName("flock"))
	defer os.Remove(lock.Path())
	for range n {
		if err := errors.Join(lock.Lock(), lock.Unlock()); err != nil {
			return err
		}
	}
	return nil
}
