package locks

import (
	"errors"

	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/waitable"
)

// runNames is about opening and creating named locks, and closing them.
func runNames(r *measure.Runner, results *measure.Report, c *cLocks) error {
	m, err := waitable.CreateMutex(measure.UniqueName("named-mutex"), nil)
	if err != nil {
		return err
	}
	defer m.Close()
	s, err := waitable.CreateSemaphore(measure.UniqueName("named-semaphore"), 1, 1, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	created := measure.UniqueName("created")

	open := contestOfNames("lock+open", "open and close a named lock that exists", c, "open",
		func() error {
			m, err := waitable.OpenMutex(m.Name())
			return closed(m, err)
		},
		func() error {
			s, err := waitable.OpenSemaphore(s.Name())
			return closed(s, err)
		})
	create := contestOfNames("lock+create", "create and close a named lock", c, "create",
		func() error {
			m, err := waitable.CreateMutex(created, nil)
			return closed(m, err)
		},
		func() error {
			s, err := waitable.CreateSemaphore(created, 1, 1, nil)
			return closed(s, err)
		})
	return errors.Join(results.Contest(r, open), results.Contest(r, create))
}

func closed(lock interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	return lock.Close()
}

// contestOfNames compares ours with those of C, if there are any.
func contestOfNames(name, title string, c *cLocks, what string,
	mutex, semaphore func() error,
) measure.Contest {
	all := measure.Contest{Name: name, Title: title, Cases: []measure.Case{
		{Name: "Mutex", Lap: measure.Loop(mutex)}, {Name: "Semaphore", Lap: measure.Loop(semaphore)},
	}, Rows: []measure.Row{{Ours: "Semaphore", Base: "Mutex"}}}
	addC(&all, c, what, "Mutex", robustMutex)
	addC(&all, c, what, "Semaphore", posixSemaphore)
	return all
}
