package test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
)

// connUser is a process of the storm over connections.
type connUser struct {
	*contender
	ledger
	service string
	ctx     context.Context // ends with the storm
}

// useConns is the role of a process that dials, or listens, until it is killed
// or told to end.
func useConns(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	l, err := openLedger(filemap.Open(rest[0], nil))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for c.word(boardEnd).Load() == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
	}()
	u := connUser{c, l, rest[1], ctx}
	if rest[2] == "listen" {
		u.listen()
		return nil
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(u.dial)
	}
	all.Wait()
	return nil
}

// connStreams returns the numbers of a connection's two streams: from the
// dialer, and to it.
func connStreams(number uint64) (there, back uint64) { return 2 * number, 2*number + 1 }

func (u connUser) dial() {
	for u.ctx.Err() == nil {
		number := u.word(boardConns).Add(1)
		there, back := connStreams(number)
		u.sent(there).Store(0)
		u.sent(back).Store(0)
		ctx, cancel := context.WithTimeout(u.ctx, watchdog)
		c, err := channel.Dial(ctx, u.service, &channel.DialOptions{Wait: true})
		cancel()
		if err != nil {
			if u.ctx.Err() == nil {
				u.wrong("dial: %v", err)
			}
			continue
		}
		_ = c.SetDeadline(time.Now().Add(watchdog))
		_, err = c.Write(binary.LittleEndian.AppendUint64(nil, number))
		u.expectCut("write", err)
		u.talk(c, there, back)
	}
}

// listen listens under the name when nobody else does, serves some who dial,
// and has another process listen.
func (u connUser) listen() {
	var served sync.WaitGroup
	for u.ctx.Err() == nil {
		l, err := channel.Listen(u.service, &channel.ListenOptions{Capacity: 4096 << rand.IntN(4)})
		if err != nil {
			if !errors.Is(err, fs.ErrExist) {
				u.wrong("listen: %v", err)
			}
			time.Sleep(time.Millisecond)
			continue
		}
		for range 1 + rand.IntN(20) {
			c, err := l.AcceptConn(u.ctx)
			if err != nil {
				if u.ctx.Err() == nil {
					u.wrong("accept: %v", err)
				}
				break
			}
			served.Go(func() { u.serve(c) })
		}
		if err := l.Close(); err != nil {
			u.wrong("close a listener: %v", err)
		}
	}
	served.Wait()
}

func (u connUser) serve(c *channel.Conn) {
	_ = c.SetDeadline(time.Now().Add(watchdog))
	number := make([]byte, 8)
	if _, err := io.ReadFull(c, number); err != nil {
		u.expectCut("read the number", err)
		_ = c.Close()
		return
	}
	there, back := connStreams(binary.LittleEndian.Uint64(number))
	u.talk(c, back, there)
}

// talk writes one stream while it reads the other.
func (u connUser) talk(c *channel.Conn, out, in uint64) {
	var writes sync.WaitGroup
	writes.Go(func() { u.write(c, out) })
	u.read(c, in)
	writes.Wait()
	if err := c.Close(); err != nil {
		u.wrong("close: %v", err)
	}
}

func (u connUser) write(c *channel.Conn, stream uint64) {
	sent := u.sent(stream)
	p := make([]byte, 20_000)
	for left := rand.IntN(200_000); left > 0; {
		piece := p[:1+rand.IntN(min(left, len(p)))]
		fillStream(piece, stream, sent.Load())
		n, err := c.Write(piece)
		sent.Add(uint64(n))
		if err != nil {
			u.expectCut("write", err)
			return
		}
		left -= n
	}
	if err := c.CloseWrite(); err != nil {
		u.wrong("close one direction: %v", err)
	}
}

// expectCut checks that an error is nil, or tells that the other side is gone,
// or wants no more.
func (u connUser) expectCut(what string, err error) {
	for _, cause := range []error{nil, io.EOF, channel.ErrPeerGone, syscall.EPIPE} {
		if errors.Is(err, cause) {
			return
		}
	}
	u.wrong("%s: %v", what, err)
}

func (u connUser) read(c *channel.Conn, stream uint64) {
	at := uint64(0)
	p, want := make([]byte, 1+rand.IntN(20_000)), make([]byte, 20_000)
	for {
		n, err := c.Read(p)
		fillStream(want[:n], stream, at)
		if string(p[:n]) != string(want[:n]) {
			u.wrong("stream %d is torn after %d bytes", stream, at)
			return
		}
		at += uint64(n)
		if err != nil {
			u.note(stream, at, err)
			return
		}
	}
}

// note takes note of how much of a stream was read when it ended with an error.
func (u connUser) note(stream, read uint64, err error) {
	sent := u.sent(stream).Load()
	switch {
	case err == io.EOF && read == sent:
	case errors.Is(err, channel.ErrPeerGone) && read >= sent:
		u.word(boardResets).Add(1)
	default:
		u.wrong("stream %d ended after %d bytes of %d: %v", stream, read, sent, err)
	}
	u.word(boardStarted).Store(1)
	u.word(boardTaken).Add(1)
	u.word(boardBytes).Add(read)
}

// fillStream fills p with the bytes of a stream from a position on.
func fillStream(p []byte, stream, at uint64) {
	for i := range p {
		p[i] = byte((stream<<32 + at + uint64(i)) * 0x9E3779B97F4A7C15 >> 56)
	}
}
