package channels

import (
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
)

func TestSetup(t *testing.T) {
	c := framedConns("a Conn", channel.SpinAdaptive)
	b := bout{Exercise: setup, Size: wordSize, Time: 20 * time.Millisecond}
	sent, got := playHere(t, c, b)
	if sent.Messages == 0 || got[0].Messages == 0 || sent.First == 0 {
		t.Errorf("%d connections made, %d accepted", sent.Messages, got[0].Messages)
	}
}

func TestIdle(t *testing.T) {
	c := contestant{open: openQueues(channel.SpinAdaptive)}
	const pause = 50 * time.Millisecond
	_, got := playHere(t, c, bout{Exercise: idle, Size: wordSize, Time: pause})
	if got[0].Elapsed < pause {
		t.Errorf("the server waited for %v, not %v", got[0].Elapsed, pause)
	}
	all := boutResult{server: sideResult{Elapsed: 200, Processor: 3}}
	if share := all.idleShare(); share != 0.015 {
		t.Errorf("3 of 200 ns is %g", share)
	}
}

func TestBulk(t *testing.T) {
	c := contestant{open: openDefaultQueues}
	sent, got := playHere(t, c, bout{Exercise: bulk, Size: 1000, Bytes: 5000})
	if sent.Messages != 5 || got[0].Messages != 4 { // the first one opens the server's window
		t.Errorf("5 messages are %d sent, %d received", sent.Messages, got[0].Messages)
	}
}
