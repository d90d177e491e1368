package main

import (
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

func newSubscribe() *cobra.Command {
	var last number
	var slow overflow
	capacity := defaultCapacity
	s := subscriber{timeout: never}
	c := &cobra.Command{
		Use:   "subscribe NAME",
		Short: "Print what is published in a topic",
		Long: `Print the messages that are published in a topic from now on, each on a line (with --raw:
one after the other), until Ctrl-C. The topic is created if there is none. Each subscriber
receives every message. In a topic that was created with --overflow overwrite, a slow
subscriber loses messages, and prints how many on standard error. On a terminal, control
characters are shown escaped.

With --json, each message is a document on a line: its "text" or, if it is not UTF-8, its
"base64", and how many messages were "lost" before it.`,
		Example: `  filemap subscribe 'Local\News'
  filemap subscribe 'Local\News' --last 10 --timeout 5s
  filemap subscribe 'Local\Log' --overflow overwrite --json`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeNames(1, "topic"),
	}
	c.Flags().Var(&last, "last", "first print up to this number of earlier messages, as far as the topic has them")
	c.Flags().Var(&s.count, "count", "end after this number of messages; 0 is never")
	s.addTo(c, "print messages as they are, without line ends")
	c.Flags().Var(&capacity, "capacity", "the size of a new topic; one that exists must have it, too")
	slow.addTo(c, "if the topic is created: what happens if a subscriber is slow")
	c.Flags().Var(&s.timeout, "timeout", "give up after this time without a message (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := s.check(c); err != nil {
			return err
		}
		defer catchSignals(c)()
		subscription, err := subscribe(args[0], last, &channel.TopicOptions{
			Capacity: asked(c, capacity), Overflow: channel.Overflow(slow),
		})
		if err != nil {
			return err
		}
		defer subscription.Close()
		return ignoreInterrupt(c.Context(), s.print(c, subscription))
	}
	return c
}

// subscribe subscribes to a topic, which it creates if there is none.
func subscribe(name string, last number, opts *channel.TopicOptions) (*channel.Subscription, error) {
	topic, created, err := channel.OpenOrCreateTopic(name, opts)
	if err != nil {
		return nil, err
	}
	defer topic.Close()
	if created { // and another process may have published since then
		last = math.MaxInt32
	}
	return topic.Subscribe(&channel.SubscribeOptions{Last: int(last)})
}

// subscriber prints what a subscription receives.
type subscriber struct {
	contentFlags
	count   number
	timeout duration
}

func (s *subscriber) print(c *cobra.Command, subscription *channel.Subscription) error {
	var buffer []byte
	var lost uint64 // so far
	for n := number(0); s.count == 0 || n < s.count; n++ {
		ctx, cancel := within(c.Context(), s.timeout)
		message, err := subscription.Receive(ctx, buffer)
		cancel()
		if err != nil {
			return err
		}
		buffer = message
		before := subscription.Lost() - lost
		if lost += before; before > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "filemap: subscribe %s: messages lost, overwritten before they were received: %d\n",
				printable(subscription.Name()), before)
		}
		err = s.printContent(c.OutOrStdout(), message, func(text content) any {
			return struct {
				content
				Lost uint64 `json:"lost"`
			}{text, before}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
