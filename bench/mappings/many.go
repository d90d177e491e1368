package mappings

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/measure"
	"github.com/filemap-go/filemap/inspect"
)

const (
	manyObjects  = 10_000
	manyListings = 5
	listGoal     = 0.5 // seconds
)

const manyRole = "many"

// runMany has a process of its own open many objects: what they take of its
// memory must not be mixed with what else was measured here.
func runMany(r *measure.Runner, results *measure.Report) error {
	if !r.Only.MatchString(manyRole) {
		return nil
	}
	r.Progress.Show("%s: %d objects in a process of their own", manyRole, manyObjects)
	figures, err := measure.FiguresOf(manyRole)
	results.Add(figures...)
	return err
}

func measureMany() ([]measure.Figure, error) {
	mappings := make([]*filemap.Mapping, 0, manyObjects)
	views := make([]*filemap.View, 0, manyObjects)
	before := measure.Footprint()
	start := time.Now()
	for i := range manyObjects {
		m, err := filemap.Create(measure.UniqueName(fmt.Sprint(i)), pageSize, nil)
		if err != nil {
			return nil, err
		}
		mappings = append(mappings, m)
	}
	took := time.Since(start)
	opened := measure.Footprint()
	listed, err := timeList()
	if err != nil {
		return nil, err
	}
	withoutViews := measure.Footprint()
	for _, m := range mappings {
		v, err := m.View(0, 0)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	viewed := measure.Footprint()
	figures := append(since(before, opened, "an object"), since(withoutViews, viewed, "a view")...)
	figures = append(figures,
		measure.Figure{
			Name: fmt.Sprintf("create %d objects", manyObjects), Value: took.Seconds(), Unit: "s",
		},
		measure.Figure{
			Name: fmt.Sprintf("list %d objects", manyObjects), Value: listed, Unit: "s", Most: listGoal,
		})
	return figures, closeAll(mappings, views)
}

// timeList returns the seconds of a listing.
func timeList() (float64, error) {
	var seconds []float64
	for range manyListings {
		start := time.Now()
		objects, err := inspect.List(context.Background(), "")
		if err != nil {
			return 0, err
		}
		if len(objects) < manyObjects {
			return 0, fmt.Errorf("the listing has %d of %d objects", len(objects), manyObjects)
		}
		seconds = append(seconds, time.Since(start).Seconds())
	}
	return measure.Median(seconds), nil
}

func closeAll(mappings []*filemap.Mapping, views []*filemap.View) error {
	var errs []error
	for _, v := range views {
		errs = append(errs, v.Close())
	}
	for _, m := range mappings {
		errs = append(errs, m.Close())
	}
	return errors.Join(errs...)
}

// since returns what each of many objects adds.
func since(before, now measure.Memory, what string) []measure.Figure {
	each := func(name string, after, then float64, note string) measure.Figure {
		return measure.Figure{
			Name: name + " " + what, Value: (after - then) / manyObjects, Unit: "B", Note: note,
		}
	}
	figures := []measure.Figure{each("Go heap of", now.Heap, before.Heap, "")}
	if now.Resident > 0 {
		figures = append(figures, each("resident memory of", now.Resident, before.Resident, ""))
	}
	if now.Kernel > 0 {
		figures = append(figures, each("the kernel's memory for", now.Kernel, before.Kernel,
			"of the whole system, so other processes count too"))
	}
	return figures
}
