//go:build filemap_steps

package ring

import (
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// Run with: go test -tags filemap_steps -run Steps ./channel/...
//
// Each of these tests has something happen at one step of an algorithm, and
// does so for each of its steps in turn.

// world is a topic's ring with a publisher, at place 1, another publisher, at
// 2, and a subscriber, at 3. Place 4 is free.
type world struct {
	*Broadcast
	t       *testing.T
	reader  *Cursor
	inPlace bool // the reader reads in place
}

// newWorld makes a world in which so many messages have been published, and all
// but some of the last ones received.
func newWorld(t *testing.T, overwrites bool, published, behind int) *world {
	w := &world{Broadcast: heapBroadcast(4096, 4, overwrites), t: t, inPlace: behind == 3}
	w.reader = w.Broadcast.Cursor(3)
	if err := w.reader.Join(0); err != nil {
		t.Fatal(err)
	}
	for i := range published {
		w.publish(2, 1)
		if published-i > behind {
			w.read(w.reader)
		}
	}
	return w
}

func (w *world) publish(owner uint16, batch int) bool {
	return heapPublish(w.Broadcast, owner, make([]byte, 200), batch)
}

// read reads what there is for a subscriber.
func (w *world) read(c *Cursor) {
	for {
		var m []byte
		var a Attempt
		var err error
		if w.inPlace {
			m, a, err = nextInPlace(c)
		} else {
			m, a, err = c.Next(nil)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		switch a.Result() {
		case Empty:
			return
		case Taken:
			continue
		}
		checkStamped(w.t, c, m)
	}
}

// expectAlive checks that all can go on, and nothing is missing.
func (w *world) expectAlive() {
	w.t.Helper()
	for range 40 {
		w.read(w.reader)
		if !w.publish(2, 1) {
			w.t.Fatal("there is no room")
		}
	}
	w.read(w.reader)
	if r := w.reader; r.received+r.Lost != w.Send.Messages || !w.Overwrites && r.Lost > 0 {
		w.t.Fatalf("%d received, %d lost, of %d", r.received, r.Lost, w.Send.Messages)
	}
}

// worlds runs a test in worlds whose next message will be anywhere in the ring.
func worlds(t *testing.T, test func(t *testing.T, make func() *world)) {
	for _, overwrites := range []bool{false, true} {
		for published := range 40 {
			for _, behind := range []int{0, 3, 16} {
				test(t, func() *world { return newWorld(t, overwrites, published, behind) })
			}
		}
	}
}

func TestTopicStepsPublisherDies(t *testing.T) {
	deaths := 0
	worlds(t, func(t *testing.T, make func() *world) {
		for _, batch := range []int{1, 4} {
			w := make()
			before := w.Send.Messages
			w.publish(1, batch)
			all := w.Send.Messages - before // fewer fit before the ring's end
			for n := 0; ; n++ {
				w := make()
				before := w.Send.Messages
				if !step.At(n, step.Die, func() { w.publish(1, batch) }) {
					break
				}
				deaths++
				w.Release(1)
				if more := w.Send.Messages - before; more != 0 && more != all {
					t.Fatalf("%d of %d messages", more, all)
				}
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d deaths of a publisher", deaths)
}

func TestTopicStepsSubscriberDies(t *testing.T) {
	deaths := 0
	worlds(t, func(t *testing.T, make func() *world) {
		for _, last := range []uint64{0, 5} {
			for n := 0; ; n++ {
				w := make()
				reached := step.At(n, step.Die, func() {
					c := w.Broadcast.Cursor(4)
					if c.Join(last) == nil {
						w.read(c)
					}
				})
				if !reached {
					break
				}
				deaths++
				w.Release(4)
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d deaths of a subscriber", deaths)
}

// TestTopicStepsSubscriberActs has subscribers read, and others come, at each
// step of a publisher.
func TestTopicStepsSubscriberActs(t *testing.T) {
	acts := 0
	worlds(t, func(t *testing.T, make func() *world) {
		for _, last := range []uint64{0, 5} {
			for n := 0; ; n++ {
				w := make()
				c := w.Broadcast.Cursor(4)
				reached := step.At(n, func() {
					w.read(w.reader)
					if err := c.Join(last); err != nil {
						t.Fatal(err)
					}
				}, func() { w.publish(1, 1+int(last)/5) })
				if !reached {
					break
				}
				acts++
				w.read(c)
				if c.number != w.Send.Messages {
					t.Fatalf("the subscriber that came is at %d of %d", c.number, w.Send.Messages)
				}
				c.place.Unsubscribe()
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d acts of subscribers", acts)
}

// TestTopicStepsPublisherActs has one publish, little or much, at each step of
// a subscriber that comes and reads.
func TestTopicStepsPublisherActs(t *testing.T) {
	acts := 0
	worlds(t, func(t *testing.T, make func() *world) {
		for _, messages := range []int{1, 5, 30} {
			for n := 0; ; n++ {
				w := make()
				c := w.Broadcast.Cursor(4)
				reached := step.At(n, func() {
					for range messages {
						w.publish(1, 1)
					}
				}, func() {
					if err := c.Join(uint64(messages % 4)); err != nil {
						t.Fatal(err)
					}
					w.read(c)
					w.read(w.reader)
				})
				if !reached {
					break
				}
				acts++
				w.read(c)
				if c.number != w.Send.Messages {
					t.Fatalf("the subscriber that came is at %d of %d", c.number, w.Send.Messages)
				}
				c.place.Unsubscribe()
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d acts of a publisher", acts)
}
