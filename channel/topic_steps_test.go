//go:build filemap_steps

package channel

import (
	"testing"

	"github.com/filemap-go/filemap/internal/step"
)

// Run with: go test -tags filemap_steps -run Steps ./channel
//
// Each of these tests has something happen at one step of an algorithm, and
// does so for each of its steps in turn.

type killed struct{}

// atStep runs f, and does something at one of its steps. It reports whether f
// has that many.
func atStep(n int, do, f func()) (reached bool) {
	step.Do = func() {
		if n--; n < 0 {
			step.Do = func() {}
			reached = true
			do()
		}
	}
	defer func() {
		step.Do = func() {}
		if cause := recover(); cause != nil && cause != (killed{}) {
			panic(cause)
		}
	}()
	f()
	return reached
}

func die() { panic(killed{}) }

// world is a series with one who publishes, at place 1, another publisher, at
// 2, and a subscriber, at 3. Place 4 is free.
type world struct {
	*broadcast
	t       *testing.T
	reader  *cursor
	inPlace bool // the reader reads in place
}

// newWorld makes a world in which so many messages have been published, and all
// but some of the last ones received.
func newWorld(t *testing.T, overwrites bool, published, behind int) *world {
	w := &world{broadcast: heapBroadcast(4096, 4, overwrites), t: t, inPlace: behind == 3}
	w.reader = w.broadcast.cursor(3)
	if err := w.reader.join(0); err != nil {
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
	return heapPublish(w.broadcast, owner, make([]byte, 200), batch)
}

// read reads what there is for a subscriber.
func (w *world) read(c *cursor) {
	for {
		var m []byte
		var a attempt
		var err error
		if w.inPlace {
			m, a, err = nextInPlace(c)
		} else {
			m, a, err = c.next(nil)
		}
		if err != nil {
			w.t.Fatal(err)
		}
		switch a.result() {
		case empty:
			return
		case taken:
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
	if r := w.reader; r.received+r.lost != w.send.messages || !w.overwrites && r.lost > 0 {
		w.t.Fatalf("%d received, %d lost, of %d", r.received, r.lost, w.send.messages)
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
			before := w.send.messages
			w.publish(1, batch)
			all := w.send.messages - before // fewer fit before the ring's end
			for n := 0; ; n++ {
				w := make()
				before := w.send.messages
				if !atStep(n, die, func() { w.publish(1, batch) }) {
					break
				}
				deaths++
				w.release(1)
				if more := w.send.messages - before; more != 0 && more != all {
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
				reached := atStep(n, die, func() {
					c := w.broadcast.cursor(4)
					if c.join(last) == nil {
						w.read(c)
					}
				})
				if !reached {
					break
				}
				deaths++
				w.release(4)
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
				c := w.broadcast.cursor(4)
				reached := atStep(n, func() {
					w.read(w.reader)
					if err := c.join(last); err != nil {
						t.Fatal(err)
					}
				}, func() { w.publish(1, 1+int(last)/5) })
				if !reached {
					break
				}
				acts++
				w.read(c)
				if c.number != w.send.messages {
					t.Fatalf("who came is at %d of %d", c.number, w.send.messages)
				}
				c.place.unsubscribe()
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d acts of subscribers", acts)
}

// TestTopicStepsPublisherActs has one publish, little or much, at each step of
// one who subscribes and reads.
func TestTopicStepsPublisherActs(t *testing.T) {
	acts := 0
	worlds(t, func(t *testing.T, make func() *world) {
		for _, messages := range []int{1, 5, 30} {
			for n := 0; ; n++ {
				w := make()
				c := w.broadcast.cursor(4)
				reached := atStep(n, func() {
					for range messages {
						w.publish(1, 1)
					}
				}, func() {
					if err := c.join(uint64(messages % 4)); err != nil {
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
				if c.number != w.send.messages {
					t.Fatalf("who came is at %d of %d", c.number, w.send.messages)
				}
				c.place.unsubscribe()
				w.expectAlive()
			}
		}
	})
	t.Logf("figures: %d acts of a publisher", acts)
}
