//go:build filemap_steps

package channel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/internal/step"
)

// TestSlotIsTakenAgain has the dialer close a connection, and dial the next one, at each
// step of the accepter's Close.
func TestSlotIsTakenAgain(t *testing.T) {
	ns := filemaptest.New(t)
	steps := 0
	for reached := true; reached; steps++ {
		r := newQuietListener(t, ns.Name(fmt.Sprint("l", steps)))
		dialed, accepted := r.connect()
		reached = step.At(steps, func() {
			r.succeed(dialed.Close())
			dialed = nil
			out, in := r.connect()
			_, err := in.Write([]byte("hello"))
			r.succeed(err)
			_, err = io.ReadFull(out, make([]byte, 5))
			r.succeed(errors.Join(err, out.Close(), in.Close()))
		}, func() { r.succeed(accepted.Close()) })
		if dialed != nil {
			r.succeed(dialed.Close())
		}
		r.succeed(r.Close())
	}
	t.Logf("figures: conn: a slot taken again at %d steps of Close", steps)
}

// quietListener is a Listener without goroutines, whose steps would be counted too. It has
// one session.
type quietListener struct {
	*Listener
	t *testing.T
}

func newQuietListener(t *testing.T, name string) quietListener {
	t.Helper()
	l, err := newListener(name, ListenOptions{Capacity: 4096})
	r := quietListener{l, t}
	r.succeed(err)
	joined := make(chan error)
	go func() {
		invitation, err := l.q.Receive(t.Context(), nil)
		if err == nil {
			l.join(invitation)
		}
		joined <- err
	}()
	d, err := dialed.enter(t.Context(), name)
	r.succeed(errors.Join(err, <-joined))
	dialed.exit(d)
	return r
}

// connect makes a connection.
func (r quietListener) connect() (dialed, accepted *Conn) {
	r.t.Helper()
	made := make(chan error, 1)
	go func() {
		var err error
		dialed, err = Dial(r.t.Context(), r.Addr().String(), nil)
		made <- err
	}()
	for {
		r.succeed(r.takeAsked())
		select {
		case err := <-made:
			r.succeed(err)
			ctx, cancel := context.WithTimeout(r.t.Context(), 10*time.Second)
			defer cancel()
			accepted, err = r.AcceptConn(ctx)
			r.succeed(err)
			return dialed, accepted
		case <-time.After(time.Millisecond):
		}
	}
}

func (r quietListener) succeed(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}
