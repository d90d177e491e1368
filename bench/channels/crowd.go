package channels

import (
	"errors"
	"io"
	"net"
)

// crowdSize is how many connections there are.
const crowdSize = 1000

// many is one of very many connections, which has the messages. Each of the others is
// read from by a goroutine, as servers and clients do, and nothing comes.
type many struct {
	messenger
	idle []net.Conn
}

// openCrowd returns an end when all connections have had a byte there and back.
func (n network) openCrowd(e end, name string) (messenger, error) {
	next := func() (net.Conn, error) { return n.dial(background, name) }
	if e == serverEnd {
		l, err := n.listen(name)
		if err != nil {
			return nil, err
		}
		defer l.Close()
		next = l.Accept
	}
	m := new(many)
	for range crowdSize {
		c, err := next()
		if err == nil {
			m.idle = append(m.idle, c)
			err = greet(e, c)
		}
		if err != nil {
			return nil, errors.Join(err, m.closeIdle())
		}
	}
	c := m.idle[0]
	m.messenger = newFrames(c, c, c)
	m.idle = m.idle[1:]
	for _, c := range m.idle {
		go io.Copy(io.Discard, c) // until it is closed
	}
	return m, nil
}

// greet has a byte go there and back: the connection works.
func greet(e end, c net.Conn) error {
	b := make([]byte, 1)
	if e == serverEnd {
		if _, err := io.ReadFull(c, b); err != nil {
			return err
		}
	}
	if _, err := c.Write(b); err != nil || e == serverEnd {
		return err
	}
	_, err := io.ReadFull(c, b)
	return err
}

func (m *many) Close() error { return errors.Join(m.messenger.Close(), m.closeIdle()) }

func (m *many) closeIdle() (err error) {
	for _, c := range m.idle {
		err = errors.Join(err, c.Close())
	}
	return err
}
