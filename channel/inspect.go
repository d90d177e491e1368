package channel

import (
	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// Info describes a channel. The numbers are read one after the other, so they may
// be of different moments.
type Info struct {
	Kind     string    `json:"kind"`              // "queue", "topic", "latest", "listener" or "session"
	Type     string    `json:"type,omitempty"`    // of the messages: the first 64 bytes of Type.String
	Capacity int64     `json:"capacity"`          // of a ring, in bytes
	Rings    []Traffic `json:"rings"`             // none if it is a session: its streams have them
	InHand   []InHand  `json:"in_hand,omitempty"` // messages of a queue, the oldest first
	Value    *Value    `json:"value,omitempty"`   // of a latest
	Members  []Member  `json:"members"`           // also members that died, until another member needs their place
	Streams  []Stream  `json:"streams,omitempty"` // the connections of a session
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

// Stream is a connection of a session.
type Stream struct {
	ID       uint64  `json:"id"`       // as at the end of [Conn.RemoteAddr]
	State    string  `json:"state"`    // "dialed", "open", or which side has closed it: "dialer closed", "accepter closed"
	Sent     Traffic `json:"sent"`     // by the dialer
	Received Traffic `json:"received"` // by the dialer
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
	Place    int    `json:"place"`         // that has it; 0: it was given back, and nobody has it
	PID      int    `json:"pid,omitempty"` // the place's process
	Position uint64 `json:"position"`
	Length   int64  `json:"length"`
	Takes    int    `json:"takes"` // how often it was taken before
}

// Value describes what a latest has.
type Value struct {
	Size       int64    `json:"size"`             // in bytes
	Version    uint64   `json:"version"`          // of the newest value; 0 if nothing has been written
	Leases     []Leased `json:"leases,omitempty"` // that readers have
	LeaseLimit int      `json:"lease_limit"`      // how many there can be
}

// Leased is a value that a reader has leased.
type Leased struct {
	Place   int    `json:"place"`             // that has it
	PID     int    `json:"pid"`               // its process; 0 if it has closed the channel meanwhile
	Version uint64 `json:"version,omitempty"` // 0 if it is not known
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
	v, err := m.View(0, 0)
	if err != nil {
		return Info{}, err
	}
	defer v.Close()
	s, err := segment.TakeSnapshot(v)
	if err != nil {
		return Info{}, err
	}
	info := newInfo(s)
	if s.Kind == segment.Session {
		if err := info.addStreams(name, s, v); err != nil {
			return Info{}, err
		}
	}
	for i := range info.Members {
		m := &info.Members[i]
		m.Dead = segment.IsFree(name, uint16(m.Place))
	}
	return info, nil
}

func newInfo(s segment.Snapshot) Info {
	info := Info{Kind: s.Kind.String(), Type: s.Description(), Capacity: int64(s.Capacity), Members: []Member{}}
	for i := range s.Rings {
		info.Rings = append(info.Rings, traffic(&s.Rings[i]))
	}
	if s.Kind == segment.Topic || s.Kind == segment.Latest {
		info.Rings[0].Lag = 0 // topics: until subscribers are counted
	}
	for i, place := range s.Places {
		if place.Process != 0 {
			info.Members = append(info.Members, Member{
				Place: i + 1, PID: int(place.Process), Received: place.Received, Lost: place.Lost,
			})
		}
		if place.Process != 0 && s.Kind == segment.Topic && place.IsSubscriber() {
			info.subscriber(place.Number)
		}
	}
	if s.Kind == segment.Session {
		return info
	}
	for _, h := range ring.Holdings(s.Hands, s.Rings[0].Receive.End, s.Capacity) {
		info.InHand = append(info.InHand, InHand{
			Place: int(h.Owner), PID: info.process(h.Owner),
			Position: h.Position, Length: int64(h.Length), Takes: int(h.Takes),
		})
	}
	if s.Kind == segment.Latest {
		info.addValue(s)
	}
	return info
}

// process returns the process of a place, or 0.
func (i *Info) process(place uint16) int {
	for _, m := range i.Members {
		if m.Place == int(place) {
			return m.PID
		}
	}
	return 0
}

// addValue adds what a latest has.
func (i *Info) addValue(s segment.Snapshot) {
	i.Value = &Value{
		Size: int64(s.ValueSize()), Version: s.Rings[0].Newest().Version(), LeaseLimit: s.LeaseLimit(),
	}
	for _, l := range ring.LeasedBy(s.Leases, s.Versions) {
		i.Value.Leases = append(i.Value.Leases, Leased{int(l.Owner), i.process(l.Owner), l.Version})
	}
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
