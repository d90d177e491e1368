//go:build filemap_steps

package stream

import (
	"cmp"
	"fmt"
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// world is a few processes that share memory, and what they found wrong.
type world struct {
	step.Schedule
	actors []*step.Actor
	wrong  error
}

func (w *world) add(does func()) { w.actors = append(w.actors, w.Add(does, nil)) }

func (w *world) fail(format string, args ...any) {
	if w.wrong == nil {
		w.wrong = fmt.Errorf(format, args...)
	}
}

// explore plays a world in all orders.
func explore(t *testing.T, interruptions, deaths int, make func() (*world, func())) {
	t.Helper()
	if err := findWrong(t, interruptions, deaths, make); err != nil {
		t.Error(err)
	}
}

func findWrong(t *testing.T, interruptions, deaths int, make func() (*world, func())) error {
	e := step.Explorer{Interruptions: interruptions, Deaths: deaths}
	runs := 0
	for more := true; more; more = e.Advance() {
		w, check := make()
		err := w.Play(e.Choose)
		check()
		if err := cmp.Or(err, w.wrong); err != nil {
			return fmt.Errorf("order %d: %w", runs, err)
		}
		runs++
	}
	t.Logf("figures: scheduler: %s: %d orders", t.Name(), runs)
	return nil
}
