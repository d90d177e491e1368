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
// wait for readers. It waits for other writers only while they copy their values.
//
// Returns os.ErrDeadlineExceeded if another writer that is alive has been copying
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
	return l.check("write", l.writeLater(value, e, a, err))
}

// writeLater tries again and again after a first attempt that was not done: the
// end as it found it says whose turn it is. A turn lasts as long as a copy, so no
// bell rings after it.
func (l *Latest) writeLater(value []byte, turn end, a attempt, err error) error {
	p, began := patience{spin: &l.writing}, time.Now()
	for err == nil && a != done {
		if time.Since(began) > writePatience {
			return errStuck
		}
		if err = l.peers.wait(context.Background(), &p, a); err != nil {
			break
		}
		var e end
		if e, a, err = l.tryWrite(value); e != turn {
			turn, p, began = e, patience{spin: &l.writing}, time.Now()
		}
	}
	return err
}

func (l *Latest) tryWrite(value []byte) (e end, a attempt, err error) {
	if l.closed.Load() {
		return 0, empty, os.ErrClosed
	}
	var who sleepers
	err = l.view.Guard(func() error {
		if e, a = l.slots.write(l.member.number, value); a == done {
			who = l.slots.bells.data.takeAll()
		}
		return nil
	})
	if who != (sleepers{}) {
		l.peers.wake(who)
	}
	return e, a, err
}

// writePatience is how long a writer who lives may take to copy a value: up to a
// second, unless it was stopped.
const writePatience = 10 * time.Second

var errStuck = object.Explain(os.ErrDeadlineExceeded,
	fmt.Sprintf("another writer has been in the middle of a value for %v", writePatience))
