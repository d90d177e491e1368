package test

import (
	"context"
	"net"
	"testing"

	"golang.org/x/net/nettest"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// TestConnIsANetConn runs Go's own tests of what a net.Conn is to do.
func TestConnIsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
		ns := filemaptest.New(t)
		l, err := channel.Listen(ns.Name("service"), nil)
		if err != nil {
			return nil, nil, nil, err
		}
		dialed, err := channel.Dial(context.Background(), ns.Name("service"), nil)
		if err != nil {
			return nil, nil, nil, err
		}
		accepted, err := l.Accept()
		if err != nil {
			return nil, nil, nil, err
		}
		return dialed, accepted, func() {
			dialed.Close()
			accepted.Close()
			l.Close()
		}, nil
	})
}
