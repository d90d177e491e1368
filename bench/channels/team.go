package channels

import "errors"

// team is the server processes of a bout, under way.
type team []*teamPlayer

type teamPlayer struct {
	*player
	ended chan error
}

// add takes in a process that was started. If it ends with an error, failed is
// called at once.
func (t *team) add(p *player, failed func()) {
	one := &teamPlayer{player: p, ended: make(chan error, 1)}
	*t = append(*t, one)
	go func() {
		err := p.wait()
		if err != nil {
			failed()
		}
		one.ended <- err
	}()
}

// end ends their inputs, which is what they wait for, and waits for them.
func (t team) end() (err error) {
	for _, one := range t {
		err = errors.Join(err, one.input.Close())
	}
	for _, one := range t {
		err = errors.Join(err, <-one.ended)
	}
	return err
}

// result is what all of them found out together: each got all messages, of
// which the slowest has the last word, and what it cost is what it cost all.
func (t team) result() (all sideResult) {
	for _, one := range t {
		all.Messages = one.player.result.Messages
		all.Elapsed = max(all.Elapsed, one.player.result.Elapsed)
		all.Processor += one.player.result.Processor
		all.Allocs += one.player.result.Allocs
	}
	return all
}
