package channel

import (
	"errors"
	"fmt"
	"io/fs"
	"math/bits"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/filemap-go/filemap/internal/step"
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
	for other := (turn{}); ; {
		e, a, err := l.tryWrite(value)
		if err == nil && a != done {
			if err = l.outwait(&other, e); err == nil {
				continue
			}
		}
		return l.check("write", err)
	}
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
		l.peers.ringAll(who)
	}
	return e, a, err
}

// turn is another writer's, as one who waits for its end sees it.
type turn struct {
	end   end
	looks int
	since time.Time
}

// writePatience is how long a writer who lives may take to copy a value: up to a
// second, unless it was stopped.
const writePatience = 10 * time.Second

var errStuck = object.Explain(os.ErrDeadlineExceeded,
	fmt.Sprintf("another writer has been in the middle of a value for %v", writePatience))

// outwait waits until it is worth trying again. A turn lasts as long as a copy,
// so it is only watched, at longer intervals after a while.
func (l *Latest) outwait(t *turn, e end) error {
	if e != t.end {
		*t = turn{end: e}
	}
	t.looks++
	switch {
	case t.looks < looksAtOwner:
		runtime.Gosched()
		return nil
	case t.looks == looksAtOwner:
		t.since = time.Now()
	case time.Since(t.since) > writePatience:
		return errStuck
	}
	dead, err := l.bury(e.owner())
	if err == nil && !dead {
		time.Sleep(time.Millisecond)
	}
	return err
}

// bury ends the turn of a place if nobody holds it, and reports whether it did.
func (l *Latest) bury(number uint16) (dead bool, err error) {
	if number == 0 {
		return true, nil
	}
	mutex, err := l.peers.mutex(number)
	if err != nil {
		return false, err
	}
	hold, dead, err := mutex.TryLock()
	if err != nil || !dead {
		return false, err
	}
	return true, errors.Join(l.release(number), hold.Unlock())
}

// release frees what a place has. The caller holds its mutex.
func (l *Latest) release(number uint16) error {
	return l.view.Guard(func() error {
		l.slots.release(number)
		return nil
	})
}

// takeAll returns who sleeps, and that they are being woken: each one says so
// again before it sleeps again.
func (w *sleepers) takeAll() (who sleepers) {
	for i := range w {
		step.Here()
		if atomic.LoadUint64(&w[i]) != 0 {
			who[i] = atomic.SwapUint64(&w[i], 0)
		}
	}
	return who
}

// ringAll wakes who sleeps. Opening a bell takes long, so the caller has let go
// of the end.
func (p *peers) ringAll(who sleepers) {
	for i, word := range who {
		for ; word != 0; word &= word - 1 {
			p.ring(uint16(64*i+bits.TrailingZeros64(word)) + 1)
		}
	}
}
