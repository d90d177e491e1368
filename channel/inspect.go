package channel

import (
	"cmp"
	"errors"
	"io/fs"
	"math/bits"
	"slices"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/waitable"
)

// Info describes a channel. The numbers are read one after the other, so they may
// be of different moments.
type Info struct {
	Kind     string    `json:"kind"`              // "queue", "topic", "latest" or "conn"
	Type     string    `json:"type,omitempty"`    // of the messages: the first 64 bytes of Type.String
	Capacity int64     `json:"capacity"`          // of a ring, in bytes
	Rings    []Traffic `json:"rings"`             // a Conn has two: what the dialer sends, and what it receives
	InHand   []InHand  `json:"in_hand,omitempty"` // messages of a queue, the oldest first
	Members  []Member  `json:"members"`           // also members that died, until another member needs their place
}

// Traffic counts what went through a ring.
type Traffic struct {
	Sent             uint64 `json:"sent"` // messages
	SentBytes        uint64 `json:"sent_bytes"`
	Received         uint64 `json:"received"`
	ReceivedBytes    uint64 `json:"received_bytes"`
	Lag              uint64 `json:"lag"`               // messages sent but not received; 0 for a Latest
	Lost             uint64 `json:"lost"`              // messages dropped because there was no room
	SendSleeps       uint64 `json:"send_sleeps"`       // how often a sender slept until there was room
	ReceiveSleeps    uint64 `json:"receive_sleeps"`    // how often a receiver slept until there was a message
	SendersWaiting   int    `json:"senders_waiting"`   // asleep now
	ReceiversWaiting int    `json:"receivers_waiting"` // asleep now
}

// Member is a handle or subscription that has a channel open.
type Member struct {
	Place      int  `json:"place"`
	PID        int  `json:"pid"`
	Dead       bool `json:"dead,omitempty"`       // its process has died
	Subscriber bool `json:"subscriber,omitempty"` // of a topic

	Received uint64 `json:"received,omitempty"` // subscribers of a topic: messages read,
	Lost     uint64 `json:"lost,omitempty"`     // and lost because they were overwritten
	Lag      uint64 `json:"lag,omitempty"`      // and not read yet
}

// InHand is a message that a receiver has taken and not ended yet.
type InHand struct {
	Place    int    `json:"place"` // that has it; 0: it was given back, and nobody has it
	Position uint64 `json:"position"`
	Length   int64  `json:"length"`
	Takes    int    `json:"takes"` // how often it was taken before
}

// Inspect describes the channel of a name, without becoming a member.
//
// Returns fs.ErrNotExist if no object has the name, and object.ErrWrongKind if
// the object is not a channel.
func Inspect(name string) (Info, error) {
	info, err := inspect(name)
	if err != nil {
		return Info{}, failed("info", name, err)
	}
	return info, nil
}

func inspect(name string) (Info, error) {
	m, err := filemap.Open(name, &filemap.OpenOptions{Access: filemap.ReadOnly})
	if err != nil {
		return Info{}, err
	}
	defer m.Close()
	if m.Size() < placesAt {
		return Info{}, errNoChannel
	}
	v, err := m.View(0, 0)
	if err != nil {
		return Info{}, err
	}
	defer v.Close()
	p, err := filemap.Load[preamble](v, preambleAt)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return Info{}, err
	}
	info, err := p.describe(v)
	for i := range info.Members {
		m := &info.Members[i]
		m.Dead = isFree(placeName(name, uint16(m.Place)))
	}
	return info, err
}

// isFree reports whether nobody holds a place's mutex. It is not if this user may
// not tell.
func isFree(mutexName string) bool {
	mutex, err := waitable.OpenMutex(mutexName)
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	defer mutex.Close()
	hold, locked, err := mutex.TryLock()
	if locked {
		_ = hold.Unlock()
	}
	return locked && err == nil
}

func (p preamble) describe(v *filemap.View) (Info, error) {
	info := Info{Kind: p.kind.String(), Type: p.description(), Capacity: int64(p.capacity), Members: []Member{}}
	rings := int64(1)
	if p.kind == connKind {
		rings = 2
	}
	for i := range rings {
		w, err := filemap.Load[words](v, wordsAt+i*3*line)
		if err != nil {
			return Info{}, err
		}
		info.Rings = append(info.Rings, w.traffic())
	}
	if p.kind == topicKind || p.kind == latestKind {
		info.Rings[0].Lag = 0 // topics: until subscribers are counted
	}
	for i := range int64(p.places) {
		place, err := filemap.Load[place](v, placesAt+i*line)
		if err != nil {
			return Info{}, err
		}
		if place.process != 0 {
			info.Members = append(info.Members, Member{
				Place: int(i + 1), PID: int(place.process), Received: place.received, Lost: place.lost,
			})
		}
		if place.process != 0 && p.kind == topicKind && place.state == subscribed {
			info.subscriber(place.number)
		}
	}
	return info, info.addHands(p, v)
}

// addHands adds the messages in hand. One that is not behind the receiving end is
// only about to be.
func (i *Info) addHands(p preamble, v *filemap.View) error {
	receiving, err := filemap.Load[uint64](v, wordsAt+line)
	if err != nil {
		return err
	}
	behind := func(position uint64) uint64 { return distance(end(receiving).position(), position) }
	for n := range int64(p.hands) {
		h, err := filemap.Load[hand](v, p.handsAt()+n*handSize)
		if err != nil {
			return err
		}
		e := end(h.word)
		if e == 0 || distance(e.position(), end(receiving).position()) < p.capacity {
			continue
		}
		in := InHand{
			Place: int(e.owner()), Position: e.position(),
			Length: int64(h.detail & (1<<lengthBits - 1)), Takes: int(h.detail >> lengthBits),
		}
		if e.owner() == returned {
			in.Place = 0
		}
		i.InHand = append(i.InHand, in)
	}
	slices.SortFunc(i.InHand, func(a, b InHand) int { return cmp.Compare(behind(b.Position), behind(a.Position)) })
	return nil
}

// subscriber adds the last member to what is told of a topic, whose traffic is
// that of all its subscribers: what they received and lost together, and the lag
// of the slowest.
func (i *Info) subscriber(number uint64) {
	m, t := &i.Members[len(i.Members)-1], &i.Rings[0]
	m.Subscriber = true
	if t.Sent > number {
		m.Lag = t.Sent - number
	}
	t.Received += m.Received
	t.Lost += m.Lost
	t.Lag = max(t.Lag, m.Lag)
}

func (w *words) traffic() Traffic {
	t := Traffic{
		Sent: w.send.messages, SentBytes: w.send.bytes, Lost: w.send.lost, SendSleeps: w.send.waits,
		Received: w.receive.messages, ReceivedBytes: w.receive.bytes, ReceiveSleeps: w.receive.waits,
		SendersWaiting: w.bells.room.count(), ReceiversWaiting: w.bells.data.count(),
	}
	if t.Sent > t.Received {
		t.Lag = t.Sent - t.Received
	}
	return t
}

func (w sleepers) count() int { return bits.OnesCount64(w[0]) + bits.OnesCount64(w[1]) }
