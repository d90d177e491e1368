package channel

import (
	"errors"
	"sync/atomic"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/ring"
	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/channel/internal/stream"
	"github.com/filemap-go/filemap/waitable"
)

// door is a Listener's queue as a dialer keeps it open, without a place in it.
type door struct {
	name    string
	id      uint64 // of the Listener
	mapping *filemap.Mapping
	view    *filemap.View
	words   *ring.Words
	news    *stream.News
	bell    *waitable.Event
}

func openDoor(name string, id uint64) (p *door, err error) {
	p = &door{name: name, id: id}
	if p.mapping, err = filemap.Open(name, nil); err != nil {
		return nil, err
	}
	if p.view, err = p.mapping.View(0, 0); err == nil {
		if p.words, err = filemap.At[ring.Words](p.view, segment.WordsAt); err == nil {
			p.news, err = knocksOf(p.view)
		}
	}
	if err == nil {
		p.bell, err = waitable.OpenEvent(name + doorbell)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// isOpen reports whether the Listener is what it was.
func (p *door) isOpen() (is bool) {
	_ = p.view.Guard(func() error {
		is = ring.Load(&p.words.Send.Oldest) == p.id
		return nil
	})
	return is
}

// free returns how many connections the Listener can take.
func (p *door) free() (n uint64, err error) {
	err = p.view.Guard(func() error {
		n = ring.Load(&p.words.Send.Free)
		return nil
	})
	return n, err
}

// prepare says that somebody waits for the Listener to be able to take more.
func (p *door) prepare() error {
	return p.view.Guard(func() error {
		ring.Store(&p.words.Send.Awaited, 1)
		return nil
	})
}

// knock tells the Listener that a session has a request.
func (p *door) knock(words *sessionWords, session *filemap.View) {
	number := uint64(stream.Most)
	_ = session.Guard(func() error {
		number = atomic.LoadUint64(&words.number)
		return nil
	})
	if number >= stream.Most {
		return
	}
	ring := false
	_ = p.view.Guard(func() error {
		ring = p.news.Tell(uint32(number))
		return nil
	})
	if ring {
		_ = p.bell.Set()
	}
}

// Close is for the segment.
func (p *door) Close() (err error) {
	if p.bell != nil {
		err = p.bell.Close()
	}
	if p.view != nil {
		err = errors.Join(err, p.view.Close())
	}
	return errors.Join(err, p.mapping.Close())
}
