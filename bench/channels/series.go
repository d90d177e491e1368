// Package channels measures messages between processes, beside other ways to send them.
package channels

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

const subject = "channel"

// sizes are the messages' sizes in bytes.
var (
	sizes      = []int{64, 1 << 10, 4 << 10, 64 << 10, 1 << 20}
	quickSizes = []int{64, 64 << 10}
)

const (
	rounds        = 7
	boutTime      = 150 * time.Millisecond
	quickRounds   = 3
	quickBoutTime = 40 * time.Millisecond

	// idleLonger is how many times longer idleness lasts, of which a little is
	// to be seen.
	idleLonger = 10

	bulkSize       = 64 << 10 // of a message
	bulkBytes      = 8 << 30
	quickBulkBytes = 256 << 20
	bulkRounds     = 3 // each takes long
)

// task is one exercise with messages of one size.
type task struct {
	does exercise
	size int
}

// tasks returns what there is to do.
func tasks(sizes []int) (all []task) {
	for _, does := range []exercise{roundTrip, oneWay} {
		for _, size := range sizes {
			all = append(all, task{does, size})
		}
	}
	return append(all,
		task{bulk, bulkSize}, task{setup, wordSize}, task{idle, wordSize}, task{crowd, wordSize})
}

// cell is one contestant doing one task.
type cell struct {
	contestant
	task
	rounds []boutResult
}

// series is the comparison under way.
type series struct {
	*measure.Runner
	sizes    []int
	cells    []*cell
	rounds   int
	time     time.Duration
	bytes    int64     // of bulk
	bouts    int       // so far
	copyRate []float64 // bytes a second: before the first round, then after each
}

// Run compares messages between two processes.
func Run(r *measure.Runner, results *measure.Report) error {
	s := &series{Runner: r, sizes: sizes, rounds: rounds, time: boutTime, bytes: bulkBytes}
	if r.Quick {
		s.sizes, s.rounds, s.time, s.bytes = quickSizes, quickRounds, quickBoutTime, quickBulkBytes
	}
	if !slices.ContainsFunc(contestants, s.wants) {
		return nil
	}
	prepared, err := s.prepare(results)
	if err != nil {
		return err
	}
	s.chooseCells(prepared)
	s.copyRate = append(s.copyRate, copyRate())
	for round := range s.rounds {
		if err := s.round(round); err != nil {
			return err
		}
		s.copyRate = append(s.copyRate, copyRate())
	}
	results.Channel = s.report()
	return nil
}

// prepare returns the contestants that are asked for, after the baseline.
func (s *series) prepare(results *measure.Report) ([]contestant, error) {
	var prepared []contestant
	for i, c := range contestants {
		if i > 0 && !c.isLimit && !s.wants(c) {
			continue
		}
		if c.prepare != nil {
			s.Progress.Show("%s: preparing %s", subject, c.name)
			var err error
			if c.program, err = c.prepare(); errors.Is(err, errNeeds) {
				results.Skip(c.name + ": " + err.Error())
				continue
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
		}
		prepared = append(prepared, c)
	}
	return prepared, nil
}

// wants says whether any of a contestant's cells is asked for.
func (s *series) wants(c contestant) bool {
	return slices.ContainsFunc(tasks(s.sizes), func(t task) bool {
		one := &cell{contestant: c, task: t}
		return c.takes(t.does) && s.Only.MatchString(one.path())
	})
}

// chooseCells chooses what is asked for, with the baseline that it is compared
// with.
func (s *series) chooseCells(all []contestant) {
	for _, t := range tasks(s.sizes) {
		var chosen []*cell
		wanted := false
		for i, c := range all {
			if !c.takes(t.does) {
				continue
			}
			one := &cell{contestant: c, task: t}
			matches := s.Only.MatchString(one.path())
			wanted = wanted || matches
			if matches || i == 0 || c.isLimit {
				chosen = append(chosen, one)
			}
		}
		if wanted {
			s.cells = append(s.cells, chosen...)
		}
	}
}

// path is what --run matches.
func (c *cell) path() string {
	return fmt.Sprintf("%s/%s", subject, pathOf(c.task, c.contestant.name))
}

func pathOf(t task, contestant string) string {
	return fmt.Sprintf("%s/%s/%s", t.does, contestant, bytesText(t.size))
}

// bytesText prints a size.
func bytesText(n int) string {
	switch {
	case n >= 1<<30:
		return strconv.Itoa(n>>30) + " GiB"
	case n >= 1<<20:
		return strconv.Itoa(n>>20) + " MiB"
	case n >= 1<<10:
		return strconv.Itoa(n>>10) + " KiB"
	}
	return strconv.Itoa(n) + " B"
}

// round has each cell take its turn.
func (s *series) round(round int) error {
	for i := range s.cells {
		one := s.cells[(i+round)%len(s.cells)]
		if one.does == bulk && round >= bulkRounds {
			continue
		}
		s.bouts++
		s.showProgress(pathOf(one.task, one.contestant.name))
		b := bout{
			Contestant: one.contestant.name, Exercise: one.does, Size: one.size,
			Time: s.time, Bytes: s.bytes, Name: boutName(s.bouts), Servers: one.servers,
		}
		if one.does == idle || one.does == crowd {
			b.Time *= idleLonger
		}
		var result boutResult
		line, err := s.Bracket(func() (err error) {
			result, err = b.run(one.program, s.Pin)
			return err
		})
		if err != nil {
			return fmt.Errorf("%s: %w", one.path(), err)
		}
		result.line = line
		one.rounds = append(one.rounds, result)
	}
	return nil
}

func (s *series) showProgress(what string) {
	s.Progress.Show("%s: %d of %d, %s", subject, s.bouts, s.rounds*len(s.cells), what)
}

func boutName(number int) string {
	return measure.UniqueName(fmt.Sprintf("%s-%d", subject, number))
}

// pinned says whether the processes stay on a processor each.
func (s *series) pinned() bool {
	_, _, ok := machine.Processors()
	return s.Pin && ok
}
