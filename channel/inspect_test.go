package channel_test

import (
	"os"
	"reflect"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

func init() {
	roles["inspected"] = func(name string) error {
		topic, err := channel.OpenTopic(name, nil)
		if err != nil {
			return err
		}
		_, err = topic.Subscribe(nil)
		say("ready")
		time.Sleep(time.Hour)
		return err
	}
}

// TestInspectMembers tells subscribers from other handles, and the dead from the
// living.
func TestInspectMembers(t *testing.T) {
	watchdog(t)
	topic, err := channel.CreateTopic(filemaptest.New(t).Name("topic"), nil)
	succeed(t, "CreateTopic", err)
	defer topic.Close()
	other := start(t, "inspected", topic.Name())
	other.await(t, "ready")
	expectMembers(t, topic.Name(), false)
	other.kill()
	expectMembers(t, topic.Name(), true)
}

func expectMembers(t *testing.T, name string, dead bool) {
	t.Helper()
	info, err := channel.Inspect(name)
	succeed(t, "Inspect", err)
	want := []channel.Member{{Place: 1}, {Place: 2, Dead: dead}, {Place: 3, Dead: dead, Subscriber: true}}
	if len(info.Members) != len(want) {
		t.Fatalf("members: %+v", info.Members)
	}
	for i, m := range info.Members {
		if m.PID == 0 || m.Place != want[i].Place || m.Dead != want[i].Dead || m.Subscriber != want[i].Subscriber {
			t.Errorf("member %+v, want %+v", m, want[i])
		}
	}
}

// TestInspectLatest writes values that nobody reads: none is due to anybody.
func TestInspectLatest(t *testing.T) {
	watchdog(t)
	l, err := channel.CreateLatest(filemaptest.New(t).Name("latest"), 8, nil)
	succeed(t, "CreateLatest", err)
	defer l.Close()
	for range 3 {
		succeed(t, "Write", l.Write(make([]byte, 8)))
	}
	info, err := channel.Inspect(l.Name())
	if err != nil || info.Rings[0].Lag != 0 || info.Rings[0].Sent != 3 {
		t.Errorf("Inspect: %+v, %v", info.Rings, err)
	}
	lease, err := l.Lease()
	succeed(t, "Lease", err)
	succeed(t, "Write", l.Write(make([]byte, 8)))
	info, err = channel.Inspect(l.Name())
	succeed(t, "Inspect", err)
	want := channel.Value{
		Size: 8, Version: 4, LeaseLimit: 2,
		Leases: []channel.Leased{{Place: 1, PID: os.Getpid(), Version: 3}},
	}
	if info.Value == nil || !reflect.DeepEqual(*info.Value, want) {
		t.Errorf("Inspect: %+v, want %+v", info.Value, want)
	}
	succeed(t, "Release", lease.Release())
	if info, err = channel.Inspect(l.Name()); err != nil || len(info.Value.Leases) != 0 {
		t.Errorf("Inspect after Release: %+v, %v", info.Value, err)
	}
}

// TestInspectInHand takes a message: Inspect tells which place has it.
func TestInspectInHand(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	send(t, a, "taken")
	taken, err := b.Take(background)
	succeed(t, "Take", err)
	info, err := channel.Inspect(a.Name())
	if err != nil || len(info.InHand) != 1 || info.InHand[0].PID != os.Getpid() || info.InHand[0].Place == 0 {
		t.Errorf("Inspect: %+v, %v", info.InHand, err)
	}
	succeed(t, "Return", taken.Return())
	if info, err = channel.Inspect(a.Name()); err != nil || len(info.InHand) != 1 || info.InHand[0].PID != 0 {
		t.Errorf("Inspect after Return: %+v, %v", info.InHand, err)
	}
}
