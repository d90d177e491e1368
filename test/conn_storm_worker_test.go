package test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
)

// connUser is a process of the storm over connections.
type connUser struct {
	*contender
	ledger
	ctx      context.Context // ends with the storm
	accepted atomic.Int64    // connections that are open
}

// useConns is the role of a process that dials, or listens, or both, until it is killed
// or told to end. Its further arguments are the ledger's name, how it listens, how many
// of its goroutines dial, and one or two names: to listen under, and to dial.
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
	u := &connUser{contender: c, ledger: l, ctx: ctx}
	dialers, err := strconv.Atoi(rest[2])
	if err != nil {
		return err
	}
	names := rest[3:]
	var all sync.WaitGroup
	switch rest[1] {
	case takeTurns:
		all.Go(func() { u.listen(names[0], 20) })
	case serve:
		all.Go(func() { u.listen(names[0], math.MaxInt-1) })
	}
	for range dialers {
		all.Go(func() { u.dial(names[len(names)-1]) })
	}
	all.Wait()
	return nil
}

// How a process of the storm listens.
const (
	takeTurns = "take turns" // it has another one listen after some connections
	serve     = "serve"      // to its end
	listenNot = "not"
)

// connStreams returns the numbers of a connection's two streams: from the
// dialer, and to it.
func connStreams(number uint64) (there, back uint64) { return 2 * number, 2*number + 1 }

func (u *connUser) dial(service string) {
	for u.ctx.Err() == nil {
		number := u.word(boardConns).Add(1)
		there, back := connStreams(number)
		u.sent(there).Store(0)
		u.sent(back).Store(0)
		ctx, cancel := context.WithTimeout(u.ctx, watchdog)
		c, err := channel.Dial(ctx, service, &channel.DialOptions{Wait: true})
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

// listen listens under the name when no other process does, serves connections, up to a
// random number of them, and lets another process listen.
func (u *connUser) listen(service string, most int) {
	var served sync.WaitGroup
	for u.ctx.Err() == nil {
		l, err := channel.Listen(service, &channel.ListenOptions{Capacity: 4096 << rand.IntN(4)})
		if err != nil {
			if !errors.Is(err, fs.ErrExist) {
				u.wrong("listen: %v", err)
			}
			time.Sleep(time.Millisecond)
			continue
		}
		for range 1 + rand.IntN(most) {
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

func (u *connUser) serve(c *channel.Conn) {
	defer u.accepted.Add(-1)
	for now, most := uint64(u.accepted.Add(1)), u.word(boardMost); ; {
		if last := most.Load(); now <= last || most.CompareAndSwap(last, now) {
			break
		}
	}
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
func (u *connUser) talk(c *channel.Conn, out, in uint64) {
	var writes sync.WaitGroup
	writes.Go(func() { u.write(c, out) })
	u.read(c, in)
	writes.Wait()
	if err := c.Close(); err != nil {
		u.wrong("close: %v", err)
	}
}

func (u *connUser) write(c *channel.Conn, stream uint64) {
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
func (u *connUser) expectCut(what string, err error) {
	for _, cause := range []error{nil, io.EOF, channel.ErrPeerGone, syscall.EPIPE} {
		if errors.Is(err, cause) {
			return
		}
	}
	u.wrong("%s: %v", what, err)
}

func (u *connUser) read(c *channel.Conn, stream uint64) {
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
func (u *connUser) note(stream, read uint64, err error) {
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
