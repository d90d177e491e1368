package channel

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Write makes value, which must be Size bytes long, the newest value. It does not
// wait for readers. It waits for other writers only while they write their values.
//
// Returns os.ErrDeadlineExceeded if another writer that is alive has been writing
// one value for 10 seconds: its process may have been stopped.
func (l *Latest) Write(value []byte) error {
	if len(value) != l.Size() {
		text := fmt.Sprintf("a value of %d bytes: it must have %d", len(value), l.Size())
		return l.check("write", object.Explain(fs.ErrInvalid, text))
	}
	l.turn.Lock()
	defer l.turn.Unlock()
	e, a, err := l.tryWrite(value)
	if a == ring.Done {
		return nil
	}
	return l.check("write", l.writeLater(e, a, err, func() (ring.End, ring.Attempt, error) {
		return l.tryWrite(value)
	}))
}

// writeLater tries again and again after a first attempt that was not done: the
// end as it found it says whose turn it is. A turn lasts as long as a copy, so no
// bell rings after it.
func (l *Latest) writeLater(turn ring.End, a ring.Attempt, err error, try func() (ring.End, ring.Attempt, error)) error {
	p, began := segment.Patience{Spin: &l.writing}, time.Now()
	for err == nil && a != ring.Done {
		if time.Since(began) > writePatience {
			return errStuck
		}
		if err = l.segment.Peers.Wait(context.Background(), &p, a); err != nil {
			break
		}
		var e ring.End
		if e, a, err = try(); e != turn {
			turn, p, began = e, segment.Patience{Spin: &l.writing}, time.Now()
		}
	}
	return err
}

func (l *Latest) tryWrite(value []byte) (e ring.End, a ring.Attempt, err error) {
	if l.segment.Closed.Load() {
		return 0, ring.Empty, os.ErrClosed
	}
	var asleep ring.Sleepers
	err = l.segment.View.Guard(func() (err error) {
		if e, a, err = l.slots.Write(l.segment.Member.Number, value); a == ring.Done {
			asleep = l.slots.Bells.Data.TakeAll()
		}
		return err
	})
	if asleep != (ring.Sleepers{}) {
		l.segment.Peers.Wake(asleep)
	}
	return e, a, err
}

// writePatience is how long a writer that lives may take for a value: a copy takes
// up to a second, unless the process was stopped.
const writePatience = 10 * time.Second

var errStuck = object.Explain(os.ErrDeadlineExceeded,
	fmt.Sprintf("another writer has been in the middle of a value for %v", writePatience))
