package channel

import (
	"context"
	"errors"
	"io/fs"
	"net"

	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Peer is the process of the other side of a [Conn], as [Conn.Peer] returns it.
type Peer struct {
	// UID is the user of the other side, as the system tells it: the owner of an
	// object that the other side has made for the connection. -1 means that it is
	// not known.
	UID int

	// PID is the process that the other side says it is. 0 means that it is not
	// known.
	PID int

	// Verified reports whether the system confirmed the PID during the call. It
	// can't after the other side has closed the connection or its process has
	// died.
	Verified bool

	// Program is the path of the process's program if the PID is verified and
	// this user may see the path, otherwise its short name or "".
	Program string
}

// Peer returns what is known of the process of the other side. It looks at that
// process, which can take a millisecond, so it is for accounting, logs and
// decisions about a connection, not for each message.
//
// The side that accepted the connection knows the UID also after the other side
// has closed it. The side that dialed knows the UID only of a verified PID.
//
// Returns net.ErrClosed if this side has closed the connection.
//
// # Linux notes
//
// Only a Global name leads to another user's process. Each user whom
// [ListenOptions.Security] admits can write to the memory of every connection of the
// Listener, so between such users the UID and the PID are information, not
// protection.
//
// If this user may not look into the process, because it is another user's, the
// system confirms only that the process has the other side's mutex open, which also
// the process of this side has. A PID of another PID namespace is not verified.
//
// # Windows notes
//
// The UID is -1.
func (c *Conn) Peer() (Peer, error) {
	if c.closed.Load() {
		return Peer{}, c.check("peer", net.ErrClosed)
	}
	p, err := c.peer(context.Background())
	return p, c.check("peer", err)
}

func (c *Conn) peer(ctx context.Context) (Peer, error) {
	p := Peer{UID: -1, PID: c.process}
	s := c.session
	if s.side == stream.Accepter { // the dialer made the mapping
		mapping, err := object.ParseName(s.segment.Name)
		if err != nil {
			return p, err
		}
		info, err := kernel.Look(ctx, mapping)
		if err != nil {
			return p, err
		}
		p.UID = info.UID
	}
	if p.PID <= 0 || c.peerLeft() {
		return p, nil
	}
	mutex, err := object.ParseName(s.segment.PlaceName(s.peerNumber()))
	if err != nil {
		return p, err
	}
	info, locked, err := kernel.LockedBy(ctx, mutex, p.PID)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil // the other side has left
	}
	if err != nil || !locked {
		return p, err
	}
	p.Verified, p.Program = true, kernel.Executable(p.PID)
	if s.side == stream.Dialer {
		p.UID = info.UID
	}
	return p, nil
}

// peerLeft reports whether the other side has closed the connection.
func (c *Conn) peerLeft() (left bool) {
	_ = c.touch(func() { left = c.life().HasLeft(c.generation, 1-c.session.side) })
	return left
}
