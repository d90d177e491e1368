package mappings

import (
	"errors"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
)

const (
	mappingSize = 64 << 10
	pageSize    = 4 << 10
)

// use is what is done with a mapping between making or opening it and giving
// it up.
type use int

const (
	untouched use = iota // not even mapped
	mapped               // all of it mapped and unmapped
	written              // mapped, a byte written in each page, unmapped
)

// kind is a kind of filemap's mappings.
type kind struct {
	name     string
	reserves bool // allots the memory at once, not at the first touch
	options  *filemap.CreateOptions
}

// creation is another way of making a mapping, and of undoing that.
type creation struct {
	name     string
	reserves bool
	lap      func(use) measure.Lap
}

// opening is another way of opening a mapping that exists, and of closing it. It
// is given the mapping's name and what other programs know it by.
type opening struct {
	name string
	lap  func(name, native string, u use) measure.Lap
	maps bool // asked or not
}

// What the issue of mappings asks for, and would like.
var (
	createGoal = measure.Goal{Measure: measure.Ratio, Most: 1.7, Aim: 1.4}
	openGoal   = measure.Goal{Measure: measure.Ratio, Most: 1.5, Aim: 1.3}
)

// runMapping compares how mappings are made and opened.
func runMapping(r *measure.Runner, results *measure.Report) error {
	bare, stop, err := startBaselines(results)
	if err != nil {
		return err
	}
	return errors.Join(runContests(r, results, bare), stop())
}

func runContests(r *measure.Runner, results *measure.Report, bare baselines) error {
	held, err := filemap.Create(measure.UniqueName("held"), mappingSize, nil)
	if err != nil {
		return err
	}
	native, err := filemap.NativeName(held.Name())
	if err != nil {
		return errors.Join(err, held.Close())
	}
	for _, c := range []measure.Contest{
		createContest("create", untouched, bare.create),
		createContest("create+view", mapped, bare.create),
		createContest("create+write", written, bare.create),
		openContest(untouched, held.Name(), native, bare.open),
		openContest(mapped, held.Name(), native, bare.open),
	} {
		if err = results.Contest(r, c); err != nil {
			break
		}
	}
	return errors.Join(err, held.Close())
}

// baselines are what filemap is compared with.
type baselines struct {
	create []creation
	open   []opening
}

var createTitles = map[use]string{
	untouched: "create and close a mapping of 64 KiB",
	mapped:    "create, map, unmap and close 64 KiB",
	written:   "create, map, write to each page of, unmap and close 64 KiB",
}

func createContest(name string, u use, baselines []creation) measure.Contest {
	c := measure.Contest{Name: name, Title: createTitles[u]}
	for _, ours := range kinds() {
		c.Cases = append(c.Cases, settled(ours.name, createOurs(ours.options, u)))
		for _, base := range baselines {
			if base.reserves && !ours.reserves {
				continue // it does more than ours is asked to
			}
			c.Rows = append(c.Rows, createRow(u, ours, base))
		}
	}
	for _, base := range baselines {
		c.Cases = append(c.Cases, measure.Case{Name: base.name, Lap: base.lap(u)})
	}
	return c
}

func createRow(u use, ours kind, base creation) measure.Row {
	one := measure.Row{Ours: ours.name, Base: base.name}
	if u != untouched {
		one.Goal = createGoal
	}
	if ours.reserves && !base.reserves && u != written {
		one.Note = "a default mapping's 16 pages are found and cleared now; " +
			"the baseline leaves that to whoever touches them first, and crashes them if there are none"
	}
	return one
}

func openContest(u use, name, native string, baselines []opening) measure.Contest {
	c := measure.Contest{Name: "open", Title: "open and close a mapping of 64 KiB that exists"}
	if u == mapped {
		c.Name = "open+view"
		c.Title = "open, map, unmap and close a mapping of 64 KiB that exists"
	}
	c.Cases = []measure.Case{settled("filemap", openOurs(name, u))}
	for _, base := range baselines {
		if base.maps && u == untouched {
			continue
		}
		c.Cases = append(c.Cases, measure.Case{Name: base.name, Lap: base.lap(name, native, u)})
		one := measure.Row{Ours: "filemap", Base: base.name}
		if u == mapped {
			one.Goal = openGoal
		}
		c.Rows = append(c.Rows, one)
	}
	return c
}

func touchPages(data []byte) {
	for i := 0; i < len(data); i += pageSize {
		data[i] = 1
	}
}
