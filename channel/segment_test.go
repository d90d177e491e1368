package channel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"sync"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// openers open a channel of each kind, without a context.
var openers = map[string]func(name string) (io.Closer, error){
	"queue":  func(name string) (io.Closer, error) { return channel.OpenQueue(name, nil) },
	"topic":  func(name string) (io.Closer, error) { return channel.OpenTopic(name, nil) },
	"latest": func(name string) (io.Closer, error) { return channel.OpenLatest(name, nil) },
	"queue, create": func(name string) (io.Closer, error) {
		q, _, err := channel.OpenOrCreateQueue(name, nil)
		return q, err
	},
}

// expectWrong has several open what is not a channel at once: all get the right
// error, and none waits for another.
func expectWrong(t *testing.T, name string, want error) {
	t.Helper()
	const each = 3
	var all sync.WaitGroup
	for what, open := range openers {
		for range each {
			all.Go(func() {
				if _, err := open(name); !errors.Is(err, want) {
					t.Errorf("open of a %s: %v, want %v", what, err, want)
				}
			})
		}
	}
	all.Wait()
}

// TestOpenWhatIsNoChannel opens a plain mapping, and a channel of another version.
func TestOpenWhatIsNoChannel(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("plain")
	m, err := filemap.Create(name, 64<<10, nil)
	succeed(t, "Create", err)
	defer m.Close()
	expectWrong(t, name, object.ErrWrongKind)
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	defer v.Close()
	later := append([]byte("filemapc"), binary.LittleEndian.AppendUint32(nil, 1000)...)
	_, err = v.WriteAt(later, 0)
	succeed(t, "WriteAt", err)
	for range 2 { // an attempt that failed stands in nobody's way
		expectWrong(t, name, object.ErrVersion)
	}
}

// TestStrangersLock holds a mutex beside a channel's name, such as an earlier
// version locked while it opened a channel, for as long as others open it.
func TestStrangersLock(t *testing.T) {
	watchdog(t)
	name := filemaptest.New(t).Name("channel")
	mutex, hold, err := waitable.CreateLockedMutex(name+"~setup", nil)
	succeed(t, "CreateLockedMutex", err)
	defer func() { succeed(t, "Close", errors.Join(hold.Unlock(), mutex.Close())) }()
	ctx, cancel := context.WithTimeout(background, 5*time.Second)
	defer cancel()
	q, err := channel.CreateQueue(name, nil)
	succeed(t, "CreateQueue", err)
	again, err := channel.AwaitQueue(ctx, name, nil)
	succeed(t, "AwaitQueue", err)
	succeed(t, "Close", errors.Join(again.Close(), q.Close()))
	if _, err := channel.Dial(ctx, name, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Dial: %v", err)
	}
	if ctx.Err() != nil {
		t.Error("it waited for a lock that it does not need")
	}
}
