package channel

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/internal/step"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// session is one side of what a process that dials and a Listener have in common: all
// connections between them are streams in it. It has one segment, one bell for each
// side, and one watch for the other side's death, so a further connection needs none.
//
//	NAME~sID          the segment: words, news and requests
//	NAME~sID~1, ~2    the mutexes of the dialer and of the accepter
//	NAME~sID~bell1, 2 the events that wake them
//	NAME~sID~b1 ...   blocks of slots, by their serials
type session struct {
	segment  *segment.Segment
	side     stream.Side
	words    *sessionWords
	requests []request
	serials  []uint32     // of the dialer's blocks
	news     *stream.News // of the other side
	bells    [2]*waitable.Event
	waiters  *stream.Waiters
	dials    *stream.Stream // of goroutines that wait for the session itself
	alarms   []waitable.Object
	gone     atomic.Pointer[error] // set when the other side is

	mu     sync.Mutex
	blocks []*block // nil: not open
}

// What a session's memory has after its first page.
const (
	newsAt      = segment.PageSize // of the dialer; the accepter's follows
	requestsAt  = newsAt + 2*segment.PageSize
	requestMost = segment.PageSize / 16
	serialsAt   = requestsAt + segment.PageSize
	blocksMost  = segment.PageSize / 4

	// dialsSlot is what the news of the session itself counts as. No stream has it.
	dialsSlot = stream.Most - 1
)

// sessionWords follow the preamble. Each side writes its own line, except for the flag.
type sessionWords struct {
	listener uint64 // the id of the Listener
	asked    uint64 // how many requests the dialer has written
	blocks   uint64 // how many blocks the dialer has
	key      uint64 // the one that the Listener was told
	_        [ring.Line - 4*8]byte
	taken    uint64 // how many requests the accepter has taken
	number   uint64 // of the session, in the Listener's news
	_        [ring.Line - 2*8]byte
	waits    uint64 // 1: the dialer waits for room for a request
	_        [ring.Line - 8]byte
}

// request asks the accepter to take a stream.
type request struct{ slot, generation uint64 }

// invitation is what a dialer sends to the Listener: a key and the id of the session. The
// id can be seen in the session's name, by a process that makes one of the same name
// once the dialer has died; the key can't.
func invitation(key uint64, id string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, key), id...)
}

func sessionName(listener, id string) string { return listener + "~s" + id }

// sessionSpec is what a session of a Listener with a queue is like.
func sessionSpec(q *Queue, id string, capacity uint64) segment.Spec {
	return segment.Spec{
		Name: sessionName(q.segment.Name, id), Kind: segment.Session, Capacity: int64(capacity),
		Security: q.segment.Security,
	}
}

// newSession returns the side of a session that has a place.
func newSession(seg *segment.Segment) (s *session, err error) {
	s = &session{segment: seg, side: stream.Side(seg.Member.Number - dialerPlace)}
	if s.words, err = filemap.At[sessionWords](seg.View, segment.WordsAt); err != nil {
		return nil, err
	}
	if s.requests, err = filemap.SliceAt[request](seg.View, requestsAt, requestMost); err != nil {
		return nil, err
	}
	if s.serials, err = filemap.SliceAt[uint32](seg.View, serialsAt, blocksMost); err != nil {
		return nil, err
	}
	var news [2]*stream.News
	for i := range news {
		if news[i], err = filemap.At[stream.News](seg.View, newsAt+int64(i)*segment.PageSize); err != nil {
			return nil, err
		}
		if s.bells[i], err = seg.Event([...]string{"~bell1", "~bell2"}[i]); err != nil {
			return nil, err
		}
	}
	s.news = news[1-s.side]
	s.waiters = stream.NewWaiters(news[s.side], s, seg.View.Guard)
	s.dials = s.waiters.Add(dialsSlot)
	return s, nil
}

// peerNumber returns the number of the other side's place.
func (s *session) peerNumber() uint16 { return dialerPlace + accepterPlace - s.segment.Member.Number }

// watch has the session end when a place's mutex is free.
func (s *session) watch(number uint16) error {
	mutex, err := s.segment.Peers.Mutex(number)
	s.alarms = []waitable.Object{s.bells[s.side], mutex}
	return err
}

// Sleep is for the waiters: see [stream.Bell].
func (s *session) Sleep(ctx context.Context) error {
	result, err := waitable.Any(ctx, s.alarms...)
	if err != nil || result.Index == 0 {
		return err
	}
	s.end()
	return result.Holds[result.Index].Unlock()
}

// Ring is for the waiters.
func (s *session) Ring() { _ = s.bells[s.side].Set() } // fails only if the session is closed

// tryPeer reports whether the other side is gone.
func (s *session) tryPeer() (gone bool, err error) {
	if s.gone.Load() != nil {
		return true, nil
	}
	hold, free, err := s.alarms[1].(*waitable.Mutex).TryLock()
	if err != nil || !free {
		return false, err
	}
	s.end()
	return true, hold.Unlock()
}

// end takes note that the other side is gone, and which process it was. That is not
// known before it has come, and after it has left.
func (s *session) end() {
	gone := ErrPeerGone
	if process := s.peerProcess(); process != 0 {
		gone = object.Explain(gone, fmt.Sprintf("the other side's process %d is gone", process))
	}
	s.gone.CompareAndSwap(nil, &gone)
	s.waiters.WakeAll()
}

// peerProcess returns which process the other side says it is, while it is there.
func (s *session) peerProcess() (process int) {
	places, err := s.segment.Places()
	if err != nil {
		return 0
	}
	_ = s.segment.View.Guard(func() error {
		process = int(atomic.LoadUint64(&places[s.peerNumber()-1].Process))
		return nil
	})
	return process
}

// What a dialer's place has for a state, from when that is decided: both sides see the
// same one, whatever becomes of them.
const (
	accepted = 1 // the Listener's process has the session
	givenUp  = 2 // the dialer did not wait for that any longer
	refused  = 3 // the Listener can't open the session
)

// decide decides whether the Listener has taken a session, as proposed unless that is
// decided already, and returns the decision.
func decide(seg *segment.Segment, proposal uint64) (decision uint64) {
	places, err := seg.Places()
	if err != nil {
		return 0
	}
	_ = seg.View.Guard(func() error {
		step.Here()
		if proposal != 0 {
			atomic.CompareAndSwapUint64(&places[dialerPlace-1].State, 0, proposal)
		}
		decision = atomic.LoadUint64(&places[dialerPlace-1].State)
		return nil
	})
	return decision
}

// tell tells the other side that a slot has changed.
func (s *session) tell(slot uint32) {
	ring := false
	_ = s.segment.View.Guard(func() error {
		ring = s.news.Tell(slot)
		return nil
	})
	if ring {
		s.ringPeer()
	}
}

// notify tells the other side that a slot has changed, if a flag says that it waits.
func (s *session) notify(flag *uint64, slot uint32) {
	if stream.IsAwaited(flag) {
		s.tell(slot)
	}
}

func (s *session) ringPeer() {
	step.Here()
	_ = s.bells[1-s.side].Set()
}

// close gives up what belongs to the session.
func (s *session) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, b := range s.blocks {
		err = errors.Join(err, b.close())
	}
	s.blocks = nil
	return errors.Join(err, s.segment.Close())
}
