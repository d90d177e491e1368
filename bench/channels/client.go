package channels

import (
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/filemap-go/filemap/bench/machine"
)

func (b bout) playClient(c contestant) error {
	m, err := c.opens(b.Exercise, clientEnd, b.Name)
	if err != nil {
		return err
	}
	result, err := newClient(m, b).play(b)
	if err != nil {
		return err
	}
	return errors.Join(result.tell(), m.Close())
}

// client is the process that sends.
type client struct {
	messenger
	message, buf []byte
	number       uint64
	first        time.Duration // of the first round trip
}

func newClient(m messenger, b bout) *client {
	return &client{messenger: m, message: make([]byte, b.Size), buf: make([]byte, b.Size)}
}

func (c *client) play(b bout) (sideResult, error) {
	switch b.Exercise {
	case oneWay:
		return c.stream(b)
	case bulk:
		return c.amount(b)
	case idle, crowd:
		return c.pause(b)
	}
	return c.roundTrips(b)
}

func (c *client) send(means uint64) error {
	c.number++
	mark(c.message, c.number, means)
	return c.Send(c.message)
}

func (c *client) exchange(means uint64) error {
	if err := c.send(means); err != nil {
		return err
	}
	answer, err := c.Receive(c.buf)
	if err != nil {
		return err
	}
	return checked(answer, len(c.message), c.number)
}

// begin makes round trips that are not measured yet, up to the first that is. The very
// first one is of processes that have done nothing before.
func (c *client) begin(b bout) error {
	before := machine.Clock()
	if err := c.exchange(ordinary); err != nil {
		return err
	}
	c.first = machine.Clock() - before
	for end := machine.Clock() + b.warmUp(); machine.Clock() < end; {
		if err := c.exchange(ordinary); err != nil {
			return err
		}
	}
	return c.exchange(firstMeasured)
}

// pause has the server wait for the last message, after it was busy.
func (c *client) pause(b bout) (sideResult, error) {
	if err := c.begin(b); err != nil {
		return sideResult{}, err
	}
	w := openWindow()
	time.Sleep(b.Time)
	if err := c.exchange(last); err != nil {
		return sideResult{}, err
	}
	return w.close(1), nil
}

// roundTrips times each trip by itself.
func (c *client) roundTrips(b bout) (sideResult, error) {
	trips := hdrhistogram.New(1, time.Minute.Nanoseconds(), 3)
	reading := clockReading()
	if err := c.begin(b); err != nil {
		return sideResult{}, err
	}
	w := openWindow()
	for now, end := time.Duration(0), machine.Clock()+b.Time; now < end; {
		before := machine.Clock()
		if err := c.exchange(ordinary); err != nil {
			return sideResult{}, err
		}
		now = machine.Clock()
		if err := trips.RecordValue(max(1, (now - before - reading).Nanoseconds())); err != nil {
			return sideResult{}, err
		}
	}
	result := w.close(trips.TotalCount())
	result.First = c.first
	for _, p := range percentiles {
		result.Percentiles = append(result.Percentiles, float64(trips.ValueAtPercentile(p)))
	}
	return result, c.exchange(last)
}

// stream sends without a pause, and waits for one answer at the end.
func (c *client) stream(b bout) (sideResult, error) {
	if _, err := c.sendFor(b.warmUp()); err != nil {
		return sideResult{}, err
	}
	if err := c.send(firstMeasured); err != nil {
		return sideResult{}, err
	}
	w := openWindow()
	n, err := c.sendFor(b.Time)
	if err != nil {
		return sideResult{}, err
	}
	if err := c.exchange(last); err != nil {
		return sideResult{}, err
	}
	return w.close(n + 1), nil
}

// amount sends a number of bytes, from the first message on, as a program does that
// has them to send.
func (c *client) amount(b bout) (sideResult, error) {
	w := openWindow()
	n := b.Bytes / int64(b.Size)
	for i := range n - 1 {
		means := uint64(ordinary)
		if i == 0 {
			means = firstMeasured
		}
		if err := c.send(means); err != nil {
			return sideResult{}, err
		}
	}
	if err := c.exchange(last); err != nil {
		return sideResult{}, err
	}
	return w.close(n), nil
}

// sendFor looks at the clock seldom enough for that not to count.
func (c *client) sendFor(howLong time.Duration) (n int64, err error) {
	const between = 64 << 10
	batch := max(1, min(64, between/len(c.message)))
	for end := machine.Clock() + howLong; machine.Clock() < end; n += int64(batch) {
		for range batch {
			if err := c.send(ordinary); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
