package channels

import (
	"testing"
	"time"
)

func TestFutexes(t *testing.T) {
	if len(futexes) == 0 {
		t.Skip("not for windows: it has no futexes between processes")
	}
	b := bout{Exercise: roundTrip, Size: 1000, Time: 10 * time.Millisecond}
	if sent, got := playHere(t, futexes[0], b); sent.Messages == 0 || got[0].Messages == 0 {
		t.Errorf("%d trips, %d messages answered", sent.Messages, got[0].Messages)
	}
}
