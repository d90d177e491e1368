package channel_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

type tick struct {
	Time  int64
	Price float64
	Size  uint32
	Side  [2]bool
}

var tickType = &channel.QueueOptions{Type: channel.TypeOf[tick]()}

// TestTypeOf pins what other processes compare: docs/channel-format.md has it.
func TestTypeOf(t *testing.T) {
	const want = "tick 24 {Time 0 int64,Price 8 float64,Size 16 uint32,Side 20 [2]bool}"
	if got := channel.TypeOf[tick]().String(); got != want {
		t.Errorf("the type is %s, want %s", got, want)
	}
	if got := channel.TypeOf[[2]struct{ A uint8 }]().String(); got != "- 2 [2]{A 0 uint8}" {
		t.Errorf("the type is %s", got)
	}
	q, err := channel.CreateQueue(filemaptest.New(t).Name("q"), tickType)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	m, err := filemap.Open(q.Name(), &filemap.OpenOptions{Access: filemap.ReadOnly})
	succeed(t, "Open", err)
	defer m.Close()
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	fingerprint, err := filemap.Load[uint64](v, 56)
	succeed(t, "Load", err)
	text, err := filemap.Load[[64]byte](v, 64)
	succeed(t, "Load", err)
	if fingerprint != fnv1a(want) || string(text[:]) != want[:64] {
		t.Errorf("the memory has %#x %q", fingerprint, text)
	}
	info, err := channel.Inspect(q.Name())
	if succeed(t, "Inspect", err); info.Type != want[:64]+"..." {
		t.Errorf("Inspect tells of %q", info.Type)
	}
}

func fnv1a(text string) uint64 {
	hash := uint64(0xcbf29ce484222325)
	for _, c := range []byte(text) {
		hash = (hash ^ uint64(c)) * 0x100000001b3
	}
	return hash
}

// TestTypeMismatch opens a queue of ticks as one of types that differ in one thing.
func TestTypeMismatch(t *testing.T) {
	q, err := channel.CreateQueue(filemaptest.New(t).Name("q"), tickType)
	succeed(t, "CreateQueue", err)
	defer q.Close()
	mismatch[struct{ Time int64 }](t, q, "not - 8 {Time 0 int64}")
	{
		type tick struct {
			Time  int64
			Price float64
			Size  uint64
			Side  [2]bool
		}
		mismatch[tick](t, q, "are tick 24 {", "not tick 32 {")
	}
	{
		type tick struct {
			Time  int64
			Value float64
			Size  uint32
			Side  [2]bool
		}
		mismatch[tick](t, q, "Price 8 float64", "Value 8 float64")
	}
	{
		type tick struct {
			Price float64
			Time  int64
			Size  uint32
			Side  [2]bool
		}
		mismatch[tick](t, q, "{Time 0 int64,Price 8", "{Price 0 float64,Time 8")
	}
	{
		type tick struct {
			Time  int64
			Price float64
			Size  uint32
			Side  [2]uint8
		}
		mismatch[tick](t, q, "after 64 bytes", "Side 20 [2]uint8")
	}
	mismatch[string](t, q, "values of type string hold pointers")

	untyped := openQueue(t, q.Name(), nil)
	_, err = channel.NewTypedQueue[tick](untyped)
	succeed(t, "NewTypedQueue", err)
	plain, _ := queue(t, nil)
	if _, err := channel.OpenQueue(plain.Name(), tickType); !errors.Is(err, object.ErrWrongKind) ||
		!strings.Contains(err.Error(), "have no type") {
		t.Errorf("OpenQueue of an untyped queue: %v", err)
	}
}

func mismatch[T any](t *testing.T, q *channel.Queue, tells ...string) {
	t.Helper()
	want := object.ErrWrongKind
	if strings.Contains(tells[0], "pointers") {
		want = fs.ErrInvalid
	}
	_, openErr := channel.OpenQueue(q.Name(), &channel.QueueOptions{Type: channel.TypeOf[T]()})
	_, newErr := channel.NewTypedQueue[T](q)
	for _, err := range []error{openErr, newErr} {
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", channel.TypeOf[T](), err, want)
			continue
		}
		for _, text := range tells {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%v: it does not tell %q", err, text)
			}
		}
	}
}

func typedQueue(t *testing.T) (one, other channel.TypedQueue[tick]) {
	t.Helper()
	a, b := queue(t, tickType)
	one, err := channel.NewTypedQueue[tick](a)
	succeed(t, "NewTypedQueue", err)
	other, err = channel.NewTypedQueue[tick](b)
	succeed(t, "NewTypedQueue", err)
	return one, other
}

func typedTopic(t *testing.T) (channel.TypedTopic[tick], channel.TypedSubscription[tick]) {
	t.Helper()
	to, err := channel.NewTypedTopic[tick](topic(t, &channel.TopicOptions{Type: channel.TypeOf[tick]()}))
	succeed(t, "NewTypedTopic", err)
	s, err := to.Subscribe(nil)
	succeed(t, "Subscribe", err)
	t.Cleanup(func() { _ = s.Close() })
	return to, s
}

func typedLatest(t *testing.T) channel.TypedLatest[tick] {
	t.Helper()
	name, typ := filemaptest.New(t).Name("latest"), channel.TypeOf[tick]()
	if _, err := channel.CreateLatest(name, 8, &channel.LatestOptions{Type: typ}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("CreateLatest of another size: %v", err)
	}
	l, err := channel.CreateLatest(name, typ.Size(), &channel.LatestOptions{Type: typ})
	succeed(t, "CreateLatest", err)
	t.Cleanup(func() { _ = l.Close() })
	typed, err := channel.NewTypedLatest[tick](l)
	succeed(t, "NewTypedLatest", err)
	return typed
}

// typedWays are how a value goes from one to another, without an allocation.
func typedWays(t *testing.T) map[string]func(in, out *tick) error {
	a, b := typedQueue(t)
	to, s := typedTopic(t)
	l := typedLatest(t)
	return map[string]func(in, out *tick) error{
		"Send and Receive": func(in, out *tick) error {
			return errors.Join(a.Send(background, in), b.Receive(background, out))
		},
		"TrySend and TryReceive": func(in, out *tick) error {
			return errors.Join(a.TrySend(in), second(b.TryReceive(out)))
		},
		"queue in place": func(in, out *tick) error {
			draft, err := a.Reserve(background)
			if err != nil {
				return err
			}
			*draft.Value() = *in
			if err := draft.Commit(); err != nil {
				return err
			}
			lease, err := b.Next(background)
			if err != nil {
				return err
			}
			*out = *lease.Value()
			return lease.Release()
		},
		"TrySend and Take": func(in, out *tick) error {
			err := a.TrySend(in)
			taken, takeErr := b.Take(background)
			if err = errors.Join(err, takeErr); err != nil {
				return err
			}
			*out = *taken.Value()
			return taken.Done()
		},
		"Send and TryTake": func(in, out *tick) error {
			err := a.Send(background, in)
			taken, _, takeErr := b.TryTake()
			if err = errors.Join(err, takeErr); err != nil {
				return err
			}
			*out = *taken.Value()
			return taken.Done()
		},
		"Publish and Receive": func(in, out *tick) error {
			return errors.Join(to.Publish(background, in), s.Receive(background, out))
		},
		"topic in place": func(in, out *tick) error {
			draft, err := to.Reserve(background)
			if err != nil {
				return err
			}
			*draft.Value() = *in
			return errors.Join(draft.Commit(), second(s.TryReceive(out)))
		},
		"Write and Read": func(in, out *tick) error {
			return errors.Join(l.Write(in), second(l.Read(out)))
		},
		"Write and Wait": func(in, out *tick) error {
			return errors.Join(l.Write(in), second(l.Wait(background, 0, out)))
		},
	}
}

func TestTyped(t *testing.T) {
	watchdog(t)
	hot := map[string]func() error{}
	for name, way := range typedWays(t) {
		in, out := tick{1, 2, 3, [2]bool{true, false}}, tick{}
		if succeed(t, name, way(&in, &out)); out != in {
			t.Errorf("%s: %v came as %v", name, in, out)
		}
		hot[name] = func() error { return way(&in, &out) }
	}
	expectNoAllocs(t, hot)
}

// TestTypedOddMessage sends what is not a value to receivers of values.
func TestTypedOddMessage(t *testing.T) {
	watchdog(t)
	a, b := typedQueue(t)
	to, s := typedTopic(t)
	var value tick
	for _, size := range []int{0, 23, 25} {
		for range 5 {
			succeed(t, "Send", a.Queue.Send(background, make([]byte, size)))
		}
		_, tryErr := b.TryReceive(&value)
		_, nextErr := b.Next(background)
		_, takeErr := b.Take(background)
		_, _, tryTakeErr := b.TryTake()
		succeed(t, "Publish", to.Topic.Publish(background, make([]byte, size)))
		for _, err := range []error{
			tryErr, nextErr, takeErr, tryTakeErr, b.Receive(background, &value), s.Receive(background, &value),
		} {
			if !errors.Is(err, object.ErrCorrupt) {
				t.Errorf("received %d bytes as a value: %v", size, err)
			}
		}
	}
	expectEmpty(t, b.Queue)
}
