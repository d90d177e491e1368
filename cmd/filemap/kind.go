package main

import (
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/waitable"
)

// newObject is what create makes: its kind, and the options of every kind.
type newObject struct {
	kind        string
	size        size
	mapping     filemap.CreateOptions
	capacity    size
	overflow    overflow
	manual      bool
	signaled    bool
	tracked     bool
	count, max  number
	due, period duration
	security    *filemap.Security
}

// kinds are the values of --kind.
var kinds = []string{"mapping", "event", "semaphore", "mutex", "timer", "job", "queue", "topic", "latest"}

// flagKinds are the kinds that a flag is for.
var flagKinds = map[string][]string{
	"size":         {"mapping", "latest"},
	"file":         {"mapping"},
	"sparse":       {"mapping"},
	"capacity":     {"queue", "topic"},
	"overflow":     {"topic"},
	"manual-reset": {"event", "timer"},
	"signaled":     {"event"},
	"count":        {"semaphore"},
	"max":          {"semaphore"},
	"tracked":      {"semaphore"},
	"due":          {"timer"},
	"period":       {"timer"},
}

func (o *newObject) addFlags(c *cobra.Command) {
	flags := c.Flags()
	o.capacity = defaultCapacity
	flags.StringVar(&o.kind, "kind", "mapping", orList(kinds))
	completeFlag(c, "kind", kinds...)
	flags.Var(&o.size, "size", "mapping, latest: its size; 0 with --file is the file's")
	flags.StringVar(&o.mapping.File, "file", "", "mapping: file that backs it")
	flags.BoolVar(&o.mapping.Sparse, "sparse", false, "mapping: do not reserve the memory")
	flags.Var(&o.capacity, "capacity", "queue, topic: the size of its ring")
	o.overflow.addTo(c, "topic: what happens if a subscriber is slow")
	flags.BoolVar(&o.manual, "manual-reset", false, "event, timer: signaled until it is reset or set again")
	flags.BoolVar(&o.signaled, "signaled", false, "event: signaled from the start")
	flags.Var(&o.count, "count", "semaphore: permits at the start")
	flags.Var(&o.max, "max", "semaphore: the most permits that it can have (default --count)")
	flags.BoolVar(&o.tracked, "tracked", false, "semaphore: permits of processes that died come back (Linux only)")
	flags.Var(&o.due, "due", "timer: signaled after this time")
	flags.Var(&o.period, "period", "timer: and then again, each time after this time")
}

// check returns an error for flags that are missing or not the kind's.
func (o *newObject) check(c *cobra.Command) error {
	if !slices.Contains(kinds, o.kind) {
		return badUsage(c, "--kind is %s, not %q", orList(kinds), o.kind)
	}
	given := c.Flags().Changed
	var err error
	c.Flags().Visit(func(f *pflag.Flag) {
		if of, ok := flagKinds[f.Name]; ok && !slices.Contains(of, o.kind) {
			err = badUsage(c, "--%s is for --kind %s, not %s", f.Name, orList(of), o.kind)
		}
	})
	switch {
	case err != nil:
		return err
	case slices.Contains(flagKinds["size"], o.kind) && !given("size"):
		return badUsage(c, "--size is missing: give the size of the %s, as in --size 64KiB", o.kind)
	case o.kind == "semaphore":
		return o.checkPermits(c)
	}
	return nil
}

// checkPermits returns an error for numbers that no semaphore can have. One that
// has only --count begins with all of its permits.
func (o *newObject) checkPermits(c *cobra.Command) error {
	given := c.Flags().Changed
	if !given("max") {
		o.max = o.count
	}
	switch {
	case !given("count") && !given("max"):
		return badUsage(c, "give the semaphore's permits by --count, --max or both")
	case given("max") && o.max == 0:
		return badUsage(c, "--max 0 is less than 1")
	case o.max == 0:
		return badUsage(c, "--count 0 needs --max: no permit could ever be released")
	case o.count > o.max:
		return badUsage(c, "--count %d is more than --max %d", o.count, o.max)
	}
	return nil
}

// create makes the object.
func (o *newObject) create(c *cobra.Command, name string) (created, error) {
	made, err := o.make(c, name)
	if err != nil {
		return created{}, err
	}
	result := created{held: made, kind: o.kind}
	if mapping, ok := made.(*filemap.Mapping); ok {
		result.size = describeSize(mapping.Size())
	}
	if result.native, err = filemap.NativeName(name); err != nil {
		made.Close()
		return created{}, err
	}
	return result, nil
}

func (o *newObject) make(c *cobra.Command, name string) (held, error) {
	switch o.kind {
	case "event":
		return asHeld(waitable.CreateEvent(name, &waitable.EventOptions{
			ManualReset: o.manual, Signaled: o.signaled, Security: o.security,
		}))
	case "semaphore":
		return asHeld(waitable.CreateSemaphore(name, int(o.count), int(o.max),
			&waitable.SemaphoreOptions{Tracked: o.tracked, Security: o.security}))
	case "mutex":
		return asHeld(waitable.CreateMutex(name, &waitable.MutexOptions{Security: o.security}))
	case "timer":
		return asHeld(o.makeTimer(c, name))
	case "job":
		return asHeld(job.Create(name, &job.Options{Security: o.security}))
	case "queue":
		return asHeld(channel.CreateQueue(name,
			&channel.QueueOptions{Capacity: int64(o.capacity), Security: o.security}))
	case "topic":
		return asHeld(channel.CreateTopic(name, &channel.TopicOptions{
			Capacity: int64(o.capacity), Overflow: channel.Overflow(o.overflow), Security: o.security,
		}))
	case "latest":
		length := int(min(o.size, math.MaxInt32)) // too much in any case
		return asHeld(channel.CreateLatest(name, length,
			&channel.LatestOptions{Security: o.security}))
	}
	o.mapping.Security = o.security
	return asHeld(createMapping(c, name, int64(o.size), &o.mapping))
}

func (o *newObject) makeTimer(c *cobra.Command, name string) (*waitable.Timer, error) {
	opts := &waitable.TimerOptions{ManualReset: o.manual, Security: o.security}
	if c.Flags().Changed("due") || c.Flags().Changed("period") {
		opts.After = max(time.Duration(o.due), 1) // 0 would leave the timer unset
		opts.Period = time.Duration(o.period)
	}
	return waitable.CreateTimer(name, opts)
}

// asHeld keeps a nil pointer from becoming an object.
func asHeld[T held](o T, err error) (held, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}
