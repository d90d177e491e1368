package objmgr

import (
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// A tracked semaphore has a ledger of who holds how many of its permits, so
// that those of handles that died come back. A permit and its entry change
// together under a claim. If the claimer dies, the entry says how far it had
// come: with the claim still there, its change has not happened.
type ledger struct {
	s     *Sync
	mu    sync.Mutex // held while the entry changes
	entry int        // of this handle
}

// joinLedger finds a free entry for this handle. The dead may have left all of
// them taken.
func (s *Sync) joinLedger() error {
	if err := s.identify(); err != nil {
		return err
	}
	s.ledger = &ledger{s: s}
	if s.ledger.takeEntry() || s.ledger.recover() && s.ledger.takeEntry() {
		return nil
	}
	s.ledger = nil
	return object.Explain(object.ErrNoSpace, fmt.Sprintf(
		"the semaphore is open %d times: that is the limit", layout.LedgerEntries))
}

func (l *ledger) takeEntry() bool {
	for l.entry = range layout.LedgerEntries {
		if l.holder(l.entry).CompareAndSwap(0, uint64(l.s.token())) {
			l.permits(l.entry).Store(0)
			return true
		}
	}
	return false
}

func (l *ledger) holder(entry int) Word {
	return l.s.page.Word(layout.LedgerAt + entry*layout.LedgerEntry)
}

func (l *ledger) permits(entry int) Word {
	return l.s.page.Word(layout.LedgerAt + entry*layout.LedgerEntry + 8)
}

// move ends a claim of the semaphore by taking n of its permits for an entry,
// or giving -n back. The caller holds mu.
func (l *ledger) move(entry int, claimed layout.State, n int32) error {
	held := layout.Permits(l.permits(entry).Load()).Held() + uint32(n)
	l.permits(entry).Store(uint64(layout.NewPermits(held, n)))
	next := (claimed - layout.State(n)).WithToken(0)
	if !l.s.swapAndWake(claimed, next) {
		return l.s.corrupt() // nobody changes what another has claimed
	}
	l.permits(entry).Store(uint64(layout.NewPermits(held, 0)))
	return nil
}

// release gives permits back: this handle's own as far as it has any.
func (l *ledger) release(n uint32) (previous uint32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	claimed, err := l.s.claim(busyTime)
	if err != nil {
		return 0, err
	}
	previous = claimed.Low() & layout.SemaphoreCount
	if previous > l.s.max || n > l.s.max-previous {
		l.s.dropClaim()
		return 0, object.ErrLimit
	}
	own := min(n, layout.Permits(l.permits(l.entry).Load()).Held())
	if n == own {
		return previous, l.move(l.entry, claimed, -int32(own))
	}
	// What others took comes back from nobody's entry.
	rest := claimed + layout.State(n-own)
	if !l.s.swap(claimed, rest) {
		return 0, l.s.corrupt()
	}
	return previous, l.move(l.entry, rest, -int32(own))
}

// recover gives back what dead handles hold. It reports whether there was any.
func (l *ledger) recover() (found bool) {
	for entry := range layout.LedgerEntries {
		token := l.holder(entry).Load()
		if token == 0 || token>>32 != 0 || l.s.alive(uint32(token)) {
			continue
		}
		if l.s.load().Token() == uint32(token) {
			continue // its claim comes first: see undo
		}
		// Adopt the entry: should this process die too, it is found again.
		if !l.holder(entry).CompareAndSwap(token, uint64(l.s.token())) {
			continue
		}
		if l.clear(entry, lastLook) == nil {
			found = true
		} else { // somebody has a claim: later
			l.holder(entry).CompareAndSwap(uint64(l.s.token()), token)
		}
	}
	return found
}

// clear gives an adopted entry's permits back and frees the entry. It waits for so
// long for another handle's claim to end.
func (l *ledger) clear(entry int, long time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	claimed, err := l.s.claim(long)
	if err != nil {
		return err
	}
	held := layout.Permits(l.permits(entry).Load()).Held()
	held = min(held, l.s.max-min(l.s.max, claimed.Low()&layout.SemaphoreCount))
	if err := l.move(entry, claimed, -int32(held)); err != nil {
		return err
	}
	l.holder(entry).Store(0)
	return nil
}

// undo takes back the change that a dead claimer had begun. Its claim is still
// there, so the change has not happened.
func (l *ledger) undo(token uint32) {
	for entry := range layout.LedgerEntries {
		// The permits first: once somebody else has adopted the entry, they
		// are no longer these.
		old := layout.Permits(l.permits(entry).Load())
		if l.holder(entry).Load() == uint64(token) && old.Change() != 0 {
			l.permits(entry).CompareAndSwap(uint64(old), uint64(old.Undone()))
		}
	}
}

// take takes a permit. It reports false if the state is no longer old.
func (l *ledger) take(old layout.State) bool {
	if !l.mu.TryLock() {
		return false
	}
	defer l.mu.Unlock()
	claimed := old.WithToken(l.s.token())
	return l.s.swap(old, claimed) && l.move(l.entry, claimed, 1) == nil
}

// leave gives back what this handle holds when it is closed.
func (l *ledger) leave() error {
	held := layout.Permits(l.permits(l.entry).Load()).Held()
	if held == 0 {
		l.holder(l.entry).Store(0)
		return nil
	}
	if err := l.clear(l.entry, busyTime); err != nil && err != os.ErrClosed {
		return err
	}
	return nil
}
