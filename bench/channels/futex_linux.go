package channels

import (
	"errors"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/bench/machine"
)

// futexes is the limit for those that sleep: each side goes to sleep at once,
// and the other's message wakes it. There is room for one message, in memory
// that both have, and nothing is checked.
var futexes = []contestant{{name: "raw futex", only: roundTrip, open: openFutex}}

// futexEnd is one side: it posts how many messages it has sent, and sleeps until
// the other has posted as many as it expects.
type futexEnd struct {
	mapping         *filemap.Mapping
	view            *filemap.View
	out, in, length *atomic.Uint32
	message         []byte
	sent, has       uint32
}

// futexMessage is where the message is, apart from the words.
const futexMessage = 128

func openFutex(e end, name string) (_ messenger, err error) {
	longest := sizes[len(sizes)-1]
	f := new(futexEnd)
	f.mapping, _, err = filemap.OpenOrCreate(name, futexMessage+int64(longest), nil)
	if err != nil {
		return nil, err
	}
	if f.view, err = f.mapping.View(0, 0); err != nil {
		return nil, err
	}
	words, err := filemap.SliceAt[atomic.Uint32](f.view, 0, 3)
	if err != nil {
		return nil, err
	}
	f.out, f.in, f.length = &words[0], &words[1], &words[2]
	if e == serverEnd {
		f.out, f.in = f.in, f.out
	}
	f.message, err = filemap.SliceAt[byte](f.view, futexMessage, longest)
	return f, err
}

func (f *futexEnd) Send(p []byte) error {
	f.sent++
	f.length.Store(uint32(copy(f.message, p)))
	machine.Post(f.out, f.sent)
	return nil
}

func (f *futexEnd) Receive(buf []byte) ([]byte, error) {
	f.has++
	if err := machine.SleepUntil(f.in, f.has); err != nil {
		return nil, err
	}
	return buf[:copy(buf, f.message[:f.length.Load()])], nil
}

func (f *futexEnd) Close() error { return errors.Join(f.view.Close(), f.mapping.Close()) }
