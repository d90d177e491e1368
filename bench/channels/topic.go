package channels

import (
	"context"
	"errors"
	"fmt"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/waitable"
)

// topics are two, one each way. The client publishes what every server gets,
// and each server answers it. Publishers are held back, so that nothing is lost.
type topics struct {
	out, in *channel.Topic
	arrives *channel.Subscription
	joined  *waitable.Semaphore // a permit for each server that has subscribed
	answers int                 // that the client gets to a message
}

const subscribersMost = 4

// topicContestants has one for each number of subscribers. More than one cannot
// play ping-pong.
func topicContestants() (all []contestant) {
	for n := 1; n <= subscribersMost; n++ {
		c := contestant{name: "filemap Topic, 1 subscriber", servers: n, open: openTopics(n)}
		if n > 1 {
			c.name = fmt.Sprintf("filemap Topic, %d subscribers", n)
			c.only = oneWay
		}
		all = append(all, c)
	}
	return all
}

func openTopics(servers int) func(end, string) (messenger, error) {
	return func(e end, name string) (messenger, error) {
		t := &topics{answers: 1}
		there, back := name+"-there", name+"-back"
		if e == clientEnd {
			t.answers = servers
			return t, errors.Join(t.open(there, back, name), t.await(servers))
		}
		err := t.open(back, there, name)
		if err == nil {
			_, err = t.joined.Release(1)
		}
		return t, err
	}
}

// open subscribes before anybody can be told that this end is there.
func (t *topics) open(out, in, name string) (err error) {
	opts := &channel.TopicOptions{Capacity: benchRing, Overflow: channel.Block}
	if t.out, _, err = channel.OpenOrCreateTopic(out, opts); err != nil {
		return err
	}
	if t.in, _, err = channel.OpenOrCreateTopic(in, opts); err != nil {
		return err
	}
	if t.arrives, err = t.in.Subscribe(nil); err != nil {
		return err
	}
	t.joined, _, err = waitable.OpenOrCreateSemaphore(name+"-joined", 0, subscribersMost, nil)
	return err
}

// await waits until so many servers have joined: they get nothing that was
// published before.
func (t *topics) await(servers int) error {
	ctx, cancel := context.WithTimeout(background, patience)
	defer cancel()
	for range servers {
		if err := t.joined.Acquire(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *topics) Send(p []byte) error { return t.out.Publish(background, p) }

// Receive returns the last one of the answers.
func (t *topics) Receive(buf []byte) (p []byte, err error) {
	for range t.answers {
		if p, err = t.arrives.Receive(background, buf); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (t *topics) Close() error {
	return errors.Join(t.arrives.Close(), t.in.Close(), t.out.Close(), t.joined.Close())
}
