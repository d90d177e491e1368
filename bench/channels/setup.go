package channels

import (
	"errors"
	"io"
	"net"
	"os"
	"time"
)

// A caller sets up a connection for each message, and closes it when it has the
// answer. The message's way there and back shows that the connection works.
type caller struct {
	network
	name string
	conn net.Conn
}

func (c *caller) Send(p []byte) (err error) {
	if c.conn, err = c.dial(background, c.name); err != nil {
		return err
	}
	_, err = c.conn.Write(p)
	return err
}

func (c *caller) Receive(buf []byte) ([]byte, error) {
	_, err := io.ReadFull(c.conn, buf)
	return buf, errors.Join(err, c.conn.Close())
}

func (c *caller) Close() error { return nil }

// callee is the server: it answers each connection's message, one after the
// other.
type callee struct {
	net.Listener
	conn net.Conn
}

func (c *callee) Receive(buf []byte) (p []byte, err error) {
	if c.conn, err = c.Accept(); err != nil {
		return nil, err
	}
	_, err = io.ReadFull(c.conn, buf)
	return buf, err
}

func (c *callee) Send(p []byte) error {
	_, err := c.conn.Write(p)
	return errors.Join(err, c.conn.Close())
}

// openSetup returns an end that sets up connections. The client waits for a mark of the
// server's: the time of the first connection begins when the server listens.
func (n network) openSetup(e end, name string) (messenger, error) {
	mark := besides(name + "-listens")
	if e == clientEnd {
		for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			_, err := os.Stat(mark)
			if err == nil || time.Now().After(end) {
				return &caller{network: n, name: name}, err
			}
		}
	}
	l, err := n.listen(name)
	if err != nil {
		return nil, err
	}
	return &callee{Listener: l}, os.WriteFile(mark, nil, 0o600)
}
