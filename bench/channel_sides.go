package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// playChannel is the main function of a process that takes part in a bout.
func playChannel() error {
	var b bout
	if err := json.Unmarshal([]byte(os.Getenv(boutVariable)), &b); err != nil {
		return err
	}
	if b.Contestant == cacheLine {
		return b.playCacheLine()
	}
	c, ok := contestantByName(b.Contestant)
	if !ok {
		return fmt.Errorf("there is no contestant %q", b.Contestant)
	}
	var err error
	if b.End == clientEnd {
		err = b.playClient(c)
	} else {
		err = b.playServer(c)
	}
	if err != nil {
		return fmt.Errorf("%s, %s, %d bytes, %s: %w", b.Contestant, b.Exercise, b.Size, b.End, err)
	}
	return nil
}

func (b bout) playClient(c contestant) error {
	m, err := c.open(clientEnd, b.Name)
	if err != nil {
		return err
	}
	client := &client{messenger: m, message: make([]byte, b.Size), buf: make([]byte, b.Size)}
	var result sideResult
	if b.Exercise == roundTrip {
		result, err = client.roundTrips(b)
	} else {
		result, err = client.stream(b)
	}
	if err != nil {
		return err
	}
	return errors.Join(result.tell(), m.Close())
}

// playServer ends when the client has, so that nothing on its way is lost.
func (b bout) playServer(c contestant) error {
	s := &server{size: b.Size, done: make(chan error, 2)}
	closeMessenger := func() error { return nil }
	if c.serve != nil {
		go func() { s.done <- s.serve(c, b.Name) }()
	} else {
		m, err := c.open(serverEnd, b.Name)
		if err != nil {
			return err
		}
		closeMessenger = m.Close
		go func() { s.done <- s.receive(m, b.Exercise) }()
	}
	if err := <-s.done; err != nil {
		return err
	}
	return errors.Join(s.result.tell(), waitForEnd(), closeMessenger())
}

func (r sideResult) tell() error { return json.NewEncoder(os.Stdout).Encode(r) }

// waitForEnd waits for the end of the client, or of the benchmark.
func waitForEnd() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// client is the process that sends.
type client struct {
	messenger
	message, buf []byte
	number       uint64
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

// roundTrips times each trip by itself.
func (c *client) roundTrips(b bout) (sideResult, error) {
	trips := hdrhistogram.New(1, time.Minute.Nanoseconds(), 3)
	reading := clockReading()
	for end := clock() + b.warmUp(); clock() < end; {
		if err := c.exchange(ordinary); err != nil {
			return sideResult{}, err
		}
	}
	if err := c.exchange(firstMeasured); err != nil {
		return sideResult{}, err
	}
	w := openWindow()
	for now, end := time.Duration(0), clock()+b.Time; now < end; {
		before := clock()
		if err := c.exchange(ordinary); err != nil {
			return sideResult{}, err
		}
		now = clock()
		if err := trips.RecordValue(max(1, (now - before - reading).Nanoseconds())); err != nil {
			return sideResult{}, err
		}
	}
	result := w.close(trips.TotalCount())
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

// sendFor looks at the clock seldom enough for that not to count.
func (c *client) sendFor(howLong time.Duration) (n int64, err error) {
	const between = 64 << 10
	batch := max(1, min(64, between/len(c.message)))
	for end := clock() + howLong; clock() < end; n += int64(batch) {
		for range batch {
			if err := c.send(ordinary); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// server is the process that receives.
type server struct {
	size   int
	number uint64
	count  int64
	window window
	result sideResult
	done   chan error
}

// seen counts a message, and says whether it is the last one.
func (s *server) seen(message []byte) (isLast bool, err error) {
	s.number++
	s.count++
	if err := checked(message, s.size, s.number); err != nil {
		return false, err
	}
	switch markOf(message) {
	case firstMeasured:
		s.count = 0
		s.window = openWindow()
	case last:
		s.result = s.window.close(s.count)
		return true, nil
	}
	return false, nil
}

// receive goes on until the last message. What is sent one way has only that
// one answered.
func (s *server) receive(m messenger, does exercise) error {
	buf := make([]byte, s.size)
	for {
		message, err := m.Receive(buf)
		if err != nil {
			return err
		}
		isLast, err := s.seen(message)
		if err != nil {
			return err
		}
		if does == roundTrip || isLast {
			if err := m.Send(message); err != nil {
				return err
			}
		}
		if isLast {
			return nil
		}
	}
}

// serve has the contestant call back.
func (s *server) serve(c contestant, name string) error {
	return c.serve(name, func(request []byte) {
		if isLast, err := s.seen(request); isLast || err != nil {
			s.done <- err
		}
	})
}
