package stream

import (
	"github.com/filemap-go/filemap/internal/race"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
)

// Life is the word of a slot that says which stream it has, and which sides have left it:
//
//	 63                                    4 3        2     1       0
//	+---------------------------------------+----------+--------+--------+
//	| generation, 0: there was none yet     | decision | accepter dialer |
//	|                                       |          | has left        |
//	+---------------------------------------+----------+--------+--------+
type Life struct {
	word uint64
	_    [line - 8]byte
}

// Decision is what became of a stream that was dialed. It is made once, by either
// side, and both see the same.
type Decision uint64

const (
	Undecided Decision = iota
	Accepted           // the accepter has the stream
	GivenUp            // the dialer did not wait for that any longer
	Refused            // the accepter can't have the stream
)

const (
	decisionShift   = 2
	generationShift = 4
	bothLeft        = 1<<Dialer | 1<<Accepter
)

// Begin begins the stream of a generation. The dialer calls it when the stream's other
// words are as they must be at the beginning.
func (l *Life) Begin(generation uint64) {
	step.Here()
	race.Store(&l.word, generation<<generationShift)
}

// Decide makes a decision, unless there is one, and returns the decision.
func (l *Life) Decide(generation uint64, proposal Decision) (Decision, error) {
	word, err := l.change(generation, func(word uint64) uint64 {
		if decision(word) != Undecided {
			return word
		}
		return word | uint64(proposal)<<decisionShift
	})
	return decision(word), err
}

// Decision returns the decision.
func (l *Life) Decision(generation uint64) (Decision, error) {
	return l.Decide(generation, Undecided)
}

func decision(word uint64) Decision { return Decision(word >> decisionShift & 3) }

// Leave says that a side does not use the stream any more. It reports whether the
// stream has ended: whether both sides have left it.
func (l *Life) Leave(generation uint64, side Side) (ended bool, err error) {
	word, err := l.change(generation, func(word uint64) uint64 { return word | 1<<side })
	step.Here() // the slot may have another stream already
	return word&bothLeft == bothLeft, err
}

// State describes a life in words, and returns its generation. It returns "" if the slot
// has no stream.
func (l *Life) State() (generation uint64, state string) {
	generation = l.word >> generationShift
	switch left := l.word & bothLeft; {
	case generation == 0 || left == bothLeft:
		return generation, ""
	case left == 1<<Dialer:
		return generation, "dialer closed"
	case left == 1<<Accepter:
		return generation, "accepter closed"
	case decision(l.word) == Accepted:
		return generation, "open"
	}
	return generation, "dialed"
}

// HasLeft reports whether a side has left the stream.
func (l *Life) HasLeft(generation uint64, side Side) bool {
	word, err := l.change(generation, func(word uint64) uint64 { return word })
	return err != nil || word&(1<<side) != 0
}

// Ended reports whether both sides have left the stream. A slot that has another
// generation was spoiled by the other side, and that side can't use it any more.
func (l *Life) Ended(generation uint64) bool {
	step.Here()
	word := race.Load(&l.word)
	return word>>generationShift != generation || word&bothLeft == bothLeft
}

// changesMost bounds change: while one side changes the word once, the other side can
// decide once and leave once.
const changesMost = 3

// change replaces the word of a generation. It returns object.ErrCorrupt if the slot
// has another generation, or if the word changes more often than the other side may
// change it.
func (l *Life) change(generation uint64, f func(uint64) uint64) (word uint64, err error) {
	for range changesMost {
		step.Here()
		word = race.Load(&l.word)
		if word>>generationShift != generation {
			break
		}
		next := f(word)
		if next == word {
			return word, nil
		}
		step.Here()
		if race.CompareAndSwap(&l.word, word, next) {
			return next, nil
		}
	}
	return 0, object.ErrCorrupt
}
