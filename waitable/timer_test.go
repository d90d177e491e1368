package waitable_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

func manualTimer(t testing.TB, name string) *waitable.Timer {
	t.Helper()
	timer, _, err := waitable.OpenOrCreateTimer(name, &waitable.TimerOptions{ManualReset: true})
	return closeLater(t, timer, err)
}

func TestTimerFires(t *testing.T) {
	name := filemaptest.New(t).Name("t")
	timer, other := autoTimer(t, name), autoTimer(t, name)
	expectTaken(t, "TryWait before it is set", timer.TryWait, false)
	const after = 30 * time.Millisecond
	for _, set := range []func() error{
		func() error { return timer.SetAfter(after, 0) },
		func() error { return timer.SetAt(time.Now().Add(after), 0) },
	} {
		start := time.Now()
		succeed(t, "setting the timer", set())
		succeed(t, "Wait", other.Wait(patient(t)))
		if early := after - time.Since(start); early > 2*time.Millisecond { // clocks differ by so much
			t.Errorf("fired %v early", early)
		}
		expectTaken(t, "TryWait when it has fired", other.TryWait, false)
	}
}

func TestTimerInThePast(t *testing.T) {
	timer := autoTimer(t, filemaptest.New(t).Name("t"))
	succeed(t, "SetAt", timer.SetAt(time.Now().Add(-time.Hour), 0))
	succeed(t, "Wait", timer.Wait(patient(t)))
	succeed(t, "SetAfter", timer.SetAfter(0, 0))
	succeed(t, "Wait", timer.Wait(patient(t)))
}

func TestManualResetTimer(t *testing.T) {
	timer := manualTimer(t, filemaptest.New(t).Name("t"))
	succeed(t, "SetAfter", timer.SetAfter(time.Millisecond, 0))
	for range 3 {
		succeed(t, "Wait", timer.Wait(patient(t)))
	}
	succeed(t, "SetAfter", timer.SetAfter(time.Hour, 0))
	expectTaken(t, "TryWait when it is set again", timer.TryWait, false)
}

func TestPeriodicTimer(t *testing.T) {
	timer := autoTimer(t, filemaptest.New(t).Name("t"))
	const period = 10 * time.Millisecond
	start := time.Now()
	succeed(t, "SetAfter", timer.SetAfter(period, period))
	for range 4 {
		succeed(t, "Wait", timer.Wait(patient(t)))
	}
	if since := time.Since(start); since < 3*period {
		t.Errorf("fired four times in %v", since)
	}
	succeed(t, "Cancel", timer.Cancel())
	_, err := timer.TryWait() // it may have fired once more before
	succeed(t, "TryWait", err)
	expectTaken(t, "TryWait when it is cancelled", timer.TryWait, false)
}

func TestCancelledTimer(t *testing.T) {
	timer := autoTimer(t, filemaptest.New(t).Name("t"))
	succeed(t, "SetAfter", timer.SetAfter(20*time.Millisecond, 0))
	succeed(t, "Cancel", timer.Cancel())
	time.Sleep(40 * time.Millisecond)
	expectTaken(t, "TryWait", timer.TryWait, false)
}

// TestTimerOutlivesItsSetter fires though the process that set it is dead.
func TestTimerOutlivesItsSetter(t *testing.T) {
	name := filemaptest.New(t).Name("t")
	timer := autoTimer(t, name)
	p := startPeer(t)
	p.do("timer", name, 0)
	p.do("due", name, 50)
	p.kill()
	succeed(t, "Wait", timer.Wait(patient(t)))
}

// TestTimerSetWhileWaitedFor wakes who waits for another time.
func TestTimerSetWhileWaitedFor(t *testing.T) {
	name := filemaptest.New(t).Name("t")
	timer := autoTimer(t, name)
	succeed(t, "SetAfter", timer.SetAfter(time.Hour, 0))
	got := inBackground(func() error { return timer.Wait(patient(t)) })
	settle()
	p := startPeer(t)
	p.do("timer", name, 0)
	p.do("due", name, 1)
	succeed(t, "Wait", receive(t, "Wait", got))
}

// TestTimerMadeSet makes timers with each of the schedules that options can have.
func TestTimerMadeSet(t *testing.T) {
	const after = 30 * time.Millisecond
	for what, opts := range map[string]*waitable.TimerOptions{
		"At":                {At: time.Now().Add(after)},
		"At, Period":        {At: time.Now().Add(after), Period: after},
		"After":             {After: after},
		"After, Period":     {After: after, Period: after},
		"Period":            {Period: after},
		"After, unnamed":    {After: after},
		"After that is now": {After: -1, ManualReset: true},
	} {
		name := ""
		if what != "After, unnamed" {
			name = filemaptest.New(t).Name("t")
		}
		start := time.Now()
		timer, created, err := waitable.OpenOrCreateTimer(name, opts)
		closeLater(t, timer, err)
		if !created {
			t.Errorf("%s: not created", what)
		}
		succeed(t, what, timer.Wait(patient(t)))
		if early := after - time.Since(start); opts.At.IsZero() && opts.After >= 0 && early > 2*time.Millisecond {
			t.Errorf("%s: fired %v early", what, early)
		}
		if opts.Period > 0 {
			succeed(t, what+", again", timer.Wait(patient(t)))
		}
		succeed(t, "Close", timer.Close())
	}
}

func TestTimerOptionsThatAreWrong(t *testing.T) {
	name := filemaptest.New(t).Name("t")
	for what, opts := range map[string]*waitable.TimerOptions{
		"At and After":               {At: time.Now(), After: time.Hour},
		"a negative period":          {Period: -time.Second},
		"a part of a millisecond":    {After: time.Second, Period: time.Microsecond},
		"a period of many centuries": {At: time.Now(), Period: 1<<63 - 1},
	} {
		_, err := waitable.CreateTimer(name, opts)
		expect(t, "CreateTimer with "+what, err, fs.ErrInvalid)
		_, _, err = waitable.OpenOrCreateTimer(name, opts)
		expect(t, "OpenOrCreateTimer with "+what, err, fs.ErrInvalid)
	}
	timer := autoTimer(t, name)
	other, created, err := waitable.OpenOrCreateTimer(name, &waitable.TimerOptions{After: -1})
	closeLater(t, other, err)
	if created {
		t.Error("created a timer that is there")
	}
	expectTaken(t, "TryWait of one that was there, and not set", timer.TryWait, false)
}
