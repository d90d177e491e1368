package main

import (
	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

func newSet() *cobra.Command {
	return newEventVerb("set", "Signal an event", (*waitable.Event).Set)
}

func newReset() *cobra.Command {
	return newEventVerb("reset", "Take an event's signal away", (*waitable.Event).Reset)
}

func newPulse() *cobra.Command {
	return newEventVerb("pulse", "Let those go on who wait for an event now", (*waitable.Event).Pulse)
}

// newEventVerb returns a verb that does one thing to an event.
func newEventVerb(verb, short string, do func(*waitable.Event) error) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NAME",
		Short:             short,
		Example:           `  filemap ` + verb + ` 'Local\Ready'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1),
		RunE: func(_ *cobra.Command, args []string) error {
			event, err := waitable.OpenEvent(args[0])
			if err != nil {
				return explainMissing(args[0], err)
			}
			defer event.Close()
			return do(event)
		},
	}
}

// anyObject is an open object of a kind that can be waited for.
type anyObject interface {
	waitable.Object
	Close() error
}

// openAny opens an object of whatever kind it is.
func openAny(name string) (anyObject, error) {
	found, err := inspect.Find(name)
	if err != nil {
		return nil, explainMissing(name, err)
	}
	switch found.Kind {
	case object.Mutex.String():
		return opened(waitable.OpenMutex(name))
	case object.Semaphore.String():
		return opened(waitable.OpenSemaphore(name))
	case object.Event.String():
		return opened(waitable.OpenEvent(name))
	case object.Timer.String():
		return opened(waitable.OpenTimer(name))
	}
	cause := object.Explain(object.ErrWrongKind, "a "+found.Kind+" cannot be waited for")
	if found.Kind == object.Kind(0).String() {
		cause = object.Explain(object.ErrWrongKind, "an object of unknown kind cannot be waited for")
		if found.Denied {
			cause = object.ErrPermission
		}
	}
	return nil, &object.Error{Op: "wait", Name: found.Name, Err: cause}
}
