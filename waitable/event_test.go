package waitable_test

import (
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

func TestAutoResetEvent(t *testing.T) {
	name := filemaptest.New(t).Name("e")
	e, other := autoEvent(t, name), autoEvent(t, name)
	expectTaken(t, "TryWait at birth", e.TryWait, false)
	succeed(t, "Set", other.Set())
	succeed(t, "Set of what is signaled", other.Set())
	expectTaken(t, "TryWait", e.TryWait, true)
	expectTaken(t, "TryWait again", e.TryWait, false)
	succeed(t, "Set", e.Set())
	succeed(t, "Reset", other.Reset())
	expectTaken(t, "TryWait after Reset", e.TryWait, false)
}

func TestManualResetEvent(t *testing.T) {
	name := filemaptest.New(t).Name("e")
	e, other := manualEvent(t, name), autoEvent(t, name)
	succeed(t, "Set", other.Set())
	for range 3 {
		expectTaken(t, "TryWait", other.TryWait, true)
		succeed(t, "Wait", e.Wait(patient(t)))
	}
	succeed(t, "Reset", other.Reset())
	expectTaken(t, "TryWait after Reset", e.TryWait, false)
}

func TestEventSignaledAtBirth(t *testing.T) {
	ns := filemaptest.New(t)
	e, err := waitable.CreateEvent(ns.Name("e"), &waitable.EventOptions{Signaled: true})
	closeLater(t, e, err)
	expectTaken(t, "TryWait", e.TryWait, true)
	expectTaken(t, "TryWait again", e.TryWait, false)
}

// TestAutoResetEventWakesOne has one wait end with each Set.
func TestAutoResetEventWakesOne(t *testing.T) {
	e := autoEvent(t, filemaptest.New(t).Name("e"))
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- e.Wait(patient(t)) }()
	}
	for range cap(results) {
		succeed(t, "Set", e.Set())
		succeed(t, "Wait", receive(t, "Wait", results))
	}
	expectTaken(t, "TryWait", e.TryWait, false)
}

func TestManualResetEventWakesAll(t *testing.T) {
	name := filemaptest.New(t).Name("e")
	e := manualEvent(t, name)
	peers := []*peer{startPeer(t), startPeer(t)}
	for _, p := range peers {
		p.do("event", name, 0)
		p.begin("wait", name, 0)
	}
	here := inBackground(func() error { return e.Wait(patient(t)) })
	succeed(t, "Set", e.Set())
	succeed(t, "Wait", receive(t, "Wait", here))
	for _, p := range peers {
		p.end()
	}
}

// TestPulse lets go who waits, and leaves no signal. That a wait has begun
// can't be seen from outside, so the pulses come until it ends.
func TestPulse(t *testing.T) {
	ns := filemaptest.New(t)
	for _, e := range []*waitable.Event{manualEvent(t, ns.Name("m")), autoEvent(t, ns.Name("a"))} {
		got := inBackground(func() error { return e.Wait(patient(t)) })
		eventually(t, "a pulse that is seen", func() bool {
			succeed(t, "Pulse", e.Pulse())
			expectTaken(t, "TryWait after Pulse", e.TryWait, false)
			select {
			case err := <-got:
				succeed(t, "Wait", err)
				return true
			default:
				return false
			}
		})
	}
}

func TestPulseTakesTheSignal(t *testing.T) {
	e := manualEvent(t, filemaptest.New(t).Name("e"))
	succeed(t, "Set", e.Set())
	succeed(t, "Pulse", e.Pulse())
	expectTaken(t, "TryWait", e.TryWait, false)
}

// TestEventAcrossProcesses sets and waits in turn.
func TestEventAcrossProcesses(t *testing.T) {
	ns := filemaptest.New(t)
	ping, pong := autoEvent(t, ns.Name("ping")), autoEvent(t, ns.Name("pong"))
	p := startPeer(t)
	p.do("event", ns.Name("ping"), 0)
	p.do("event", ns.Name("pong"), 0)
	for range 20 {
		p.begin("wait", ns.Name("ping"), 0)
		succeed(t, "Set", ping.Set())
		p.end()
		got := inBackground(func() error { return pong.Wait(patient(t)) })
		p.do("set", ns.Name("pong"), 0)
		succeed(t, "Wait", receive(t, "Wait", got))
	}
}
