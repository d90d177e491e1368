package channel

import (
	"errors"
	"io/fs"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel/internal/segment"
)

// addStreams adds the streams of a session.
func (i *Info) addStreams(name string, s segment.Snapshot, v *filemap.View) error {
	w, err := filemap.Load[sessionWords](v, segment.WordsAt)
	if err != nil {
		return err
	}
	for number := range int(min(w.blocks, blocksMost)) {
		serial, err := filemap.Load[uint32](v, serialsAt+4*int64(number))
		if err == nil {
			err = i.addBlock(blockName(name, serial), blockSlots(number, s.Capacity))
		}
		if errors.Is(err, fs.ErrNotExist) { // the dialer closes it now
			break
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// addBlock adds the streams of a block.
func (i *Info) addBlock(name string, slots int) error {
	m, err := filemap.Open(name, &filemap.OpenOptions{Access: filemap.ReadOnly})
	if err != nil {
		return err
	}
	defer m.Close()
	v, err := m.View(0, 0)
	if err != nil {
		return err
	}
	defer v.Close()
	for n := range slots {
		w, err := filemap.Load[slotWords](v, int64(n)*slotWordsSize)
		if err != nil {
			return err
		}
		if id, state := w.life.State(); state != "" {
			i.Streams = append(i.Streams, Stream{
				ID: id, State: state, Sent: traffic(&w.rings[0]), Received: traffic(&w.rings[1]),
			})
		}
	}
	return nil
}
