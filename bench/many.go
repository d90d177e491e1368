package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/filemap-go/filemap"
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
func runMany(r *runner, results *report) error {
	if !r.only.MatchString(manyRole) {
		return nil
	}
	r.progress.show("%s: %d objects in a process of their own", manyRole, manyObjects)
	figures, err := figuresOf(manyRole)
	results.Figures = append(results.Figures, figures...)
	return err
}

func measureMany() ([]figure, error) {
	mappings := make([]*filemap.Mapping, 0, manyObjects)
	views := make([]*filemap.View, 0, manyObjects)
	before := footprint()
	start := time.Now()
	for i := range manyObjects {
		m, err := filemap.Create(uniqueName(fmt.Sprint(i)), pageSize, nil)
		if err != nil {
			return nil, err
		}
		mappings = append(mappings, m)
	}
	took := time.Since(start)
	opened := footprint()
	listed, err := timeList()
	if err != nil {
		return nil, err
	}
	withoutViews := footprint()
	for _, m := range mappings {
		v, err := m.View(0, 0)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	viewed := footprint()
	figures := append(opened.since(before, "an object"), viewed.since(withoutViews, "a view")...)
	figures = append(figures,
		figure{Name: fmt.Sprintf("create %d objects", manyObjects), Value: took.Seconds(), Unit: "s"},
		figure{Name: fmt.Sprintf("list %d objects", manyObjects), Value: listed, Unit: "s", Most: listGoal})
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
	return median(seconds), nil
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

// memory is what this process and the system use, in bytes.
type memory struct{ heap, resident, kernel float64 }

func footprint() memory {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	resident, kernel := systemMemory()
	return memory{float64(stats.HeapAlloc), resident, kernel}
}

// since returns what each of many objects adds.
func (m memory) since(before memory, what string) []figure {
	each := func(name string, now, then float64, note string) figure {
		return figure{Name: name + " " + what, Value: (now - then) / manyObjects, Unit: "B", Note: note}
	}
	figures := []figure{each("Go heap of", m.heap, before.heap, "")}
	if m.resident > 0 {
		figures = append(figures, each("resident memory of", m.resident, before.resident, ""))
	}
	if m.kernel > 0 {
		figures = append(figures, each("the kernel's memory for", m.kernel, before.kernel,
			"of the whole system, so other processes count too"))
	}
	return figures
}
