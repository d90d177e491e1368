package channel

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

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
	if a == done {
		return nil
	}
	return l.check("write", l.writeLater(e, a, err, func() (end, attempt, error) {
		return l.tryWrite(value)
	}))
}

// writeLater tries again and again after a first attempt that was not done: the
// end as it found it says whose turn it is. A turn lasts as long as a copy, so no
// bell rings after it.
func (l *Latest) writeLater(turn end, a attempt, err error, try func() (end, attempt, error)) error {
	p, began := patience{spin: &l.writing}, time.Now()
	for err == nil && a != done {
		if time.Since(began) > writePatience {
			return errStuck
		}
		if err = l.peers.wait(context.Background(), &p, a); err != nil {
			break
		}
		var e end
		if e, a, err = try(); e != turn {
			turn, p, began = e, patience{spin: &l.writing}, time.Now()
		}
	}
	return err
}

func (l *Latest) tryWrite(value []byte) (e end, a attempt, err error) {
	if l.closed.Load() {
		return 0, empty, os.ErrClosed
	}
	var asleep sleepers
	err = l.view.Guard(func() (err error) {
		if e, a, err = l.slots.write(l.member.number, value); a == done {
			asleep = l.slots.bells.data.takeAll()
		}
		return err
	})
	if asleep != (sleepers{}) {
		l.peers.wake(asleep)
	}
	return e, a, err
}

// writePatience is how long a writer that lives may take for a value: a copy takes
// up to a second, unless the process was stopped.
const writePatience = 10 * time.Second

var errStuck = object.Explain(os.ErrDeadlineExceeded,
	fmt.Sprintf("another writer has been in the middle of a value for %v", writePatience))
