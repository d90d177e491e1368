package channel

import (
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
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
		w, err := filemap.Load[ring.Words](v, wordsAt+i*3*ring.Line)
		if err != nil {
			return Info{}, err
		}
		info.Rings = append(info.Rings, traffic(&w))
	}
	if p.kind == topicKind || p.kind == latestKind {
		info.Rings[0].Lag = 0 // topics: until subscribers are counted
	}
	for i := range int64(p.places) {
		place, err := filemap.Load[ring.Place](v, placesAt+i*ring.Line)
		if err != nil {
			return Info{}, err
		}
		if place.Process != 0 {
			info.Members = append(info.Members, Member{
				Place: int(i + 1), PID: int(place.Process), Received: place.Received, Lost: place.Lost,
			})
		}
		if place.Process != 0 && p.kind == topicKind && place.IsSubscriber() {
			info.subscriber(place.Number)
		}
	}
	return info, info.addHands(p, v)
}

// addHands adds the messages in hand.
func (i *Info) addHands(p preamble, v *filemap.View) error {
	receiving, err := filemap.Load[uint64](v, wordsAt+ring.Line)
	if err != nil {
		return err
	}
	table := make([]ring.Hand, p.hands)
	for n := range table {
		if table[n], err = filemap.Load[ring.Hand](v, p.handsAt()+int64(n)*ring.HandSize); err != nil {
			return err
		}
	}
	for _, h := range ring.Holdings(table, receiving, p.capacity) {
		i.InHand = append(i.InHand, InHand{
			Place: int(h.Owner), Position: h.Position, Length: int64(h.Length), Takes: int(h.Takes),
		})
	}
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

func traffic(w *ring.Words) Traffic {
	t := Traffic{
		Sent: w.Send.Messages, SentBytes: w.Send.Bytes, Lost: w.Send.Lost, SendSleeps: w.Send.Waits,
		Received: w.Receive.Messages, ReceivedBytes: w.Receive.Bytes, ReceiveSleeps: w.Receive.Waits,
		SendersWaiting: w.Bells.Room.Count(), ReceiversWaiting: w.Bells.Data.Count(),
	}
	if t.Sent > t.Received {
		t.Lag = t.Sent - t.Received
	}
	return t
}
