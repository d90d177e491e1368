package channels

import "errors"

// playServer ends when the client has, so that nothing on its way is lost.
func (b bout) playServer(c contestant) error {
	s := &server{size: b.Size, done: make(chan error, 2)}
	closeMessenger := func() error { return nil }
	if c.serve != nil {
		go func() { s.done <- s.serve(c, b.Name) }()
	} else {
		m, err := c.opens(b.Exercise, serverEnd, b.Name)
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
		if does.answers() || isLast {
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
