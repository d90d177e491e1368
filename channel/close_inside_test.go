package channel_test

import (
	"errors"
	"os"
	"testing"
)

// TestCloseInsideDrain closes a handle in a function that its Drain calls, against the
// rules. Nothing hangs, and the other handle goes on.
func TestCloseInsideDrain(t *testing.T) {
	watchdog(t)
	a, b := queue(t, nil)
	send(t, a, "first")
	stop := errors.New("stop")
	_, err := b.Drain(background, func([]byte) error {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		return stop
	})
	if err == nil {
		t.Error("Drain of a closed handle returned no error")
	}
	if _, err := b.Drain(background, nil); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Drain after Close: %v", err)
	}
	send(t, a, "second")
	if message, err := a.Receive(background, nil); err != nil || len(message) == 0 {
		t.Errorf("received %q, %v", message, err)
	}
}
