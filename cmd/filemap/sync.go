package main

import (
	"context"
	"errors"

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
	return newEventVerb("pulse", "Let the processes go on that wait for an event now", (*waitable.Event).Pulse)
}

// newEventVerb returns a verb that does one thing to an event.
func newEventVerb(verb, short string, do func(*waitable.Event) error) *cobra.Command {
	return &cobra.Command{
		Use:               verb + " NAME",
		Short:             short,
		Example:           `  filemap ` + verb + ` 'Local\Ready'`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "event"),
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
	Check() error
	Close() error
}

// opened keeps a nil pointer from becoming an object.
func opened[T anyObject](o T, err error) (anyObject, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}

// openAny opens an object of whatever kind it is. It tries each kind: to ask for
// the kind first would be to ask for the holders, too.
func openAny(name string) (anyObject, error) {
	open := []func() (anyObject, error){
		func() (anyObject, error) { return opened(waitable.OpenEvent(name)) },
		func() (anyObject, error) { return opened(waitable.OpenMutex(name)) },
		func() (anyObject, error) { return opened(waitable.OpenSemaphore(name)) },
		func() (anyObject, error) { return opened(waitable.OpenTimer(name)) },
		func() (anyObject, error) { return opened(openJobEnd(name)) },
	}
	for _, kind := range open {
		o, err := kind()
		if err == nil {
			return o, nil
		}
		failed, _ := errors.AsType[*object.Error](err)
		if failed != nil { // it speaks of a kind
			err = &object.Error{Op: "wait", Name: failed.Name, Err: failed.Err}
		}
		if !errors.Is(err, object.ErrWrongKind) {
			return nil, err
		}
	}
	return nil, cannotWait(name)
}

// cannotWait returns the error for an object that is of none of those kinds.
func cannotWait(name string) error {
	found, err := inspect.Find(context.Background(), name)
	if err != nil {
		return err
	}
	cause := object.Explain(object.ErrWrongKind, "a "+found.Kind+" cannot be waited for")
	if found.Kind == object.Kind(0).String() {
		cause = object.Explain(object.ErrWrongKind, "an object of unknown kind cannot be waited for")
		if found.Denied {
			cause = object.ErrPermission
		}
	}
	return &object.Error{Op: "wait", Name: found.Name, Err: cause}
}
