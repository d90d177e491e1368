package main

import (
	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

func newPublish() *cobra.Command {
	p := publisher{timeout: never}
	c := &cobra.Command{
		Use:   "publish NAME [MESSAGE...]",
		Short: "Send messages to all subscribers of a topic",
		Long: `Publish the messages, or each line of the input (with --raw: all of it as one message), in
a topic: all of its subscribers receive them. A topic exists while a subscriber or another
process has it open: 'filemap subscribe' creates it, 'filemap create NAME --kind topic' keeps
one.

If a subscriber is slow and there is no room, it waits, unless the topic was created with
--overflow overwrite. With --timeout, it also waits for the topic; without it, a name that
does not exist is an error. Messages that begin with a dash follow --.`,
		Example: `  filemap publish 'Local\News' 'build 7 is done'
  tail -f build.log | filemap publish 'Local\Log' --timeout 10s`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeNames(1, "topic"),
	}
	c.Flags().BoolVar(&p.raw, "raw", false, "publish all of the input as one message")
	c.Flags().Var(&p.timeout, "timeout",
		"wait for a missing topic, too, and give up after this time without it, or room (exit code 124)")
	c.RunE = func(c *cobra.Command, args []string) error {
		if p.raw && len(args) > 1 {
			return badUsage(c, "--raw is for the input, and there are messages")
		}
		defer catchSignals(c)()
		topic, err := openOrAwait(c, args[0], p.timeout, channel.OpenTopic, channel.AwaitTopic)
		if err != nil {
			return err
		}
		defer topic.Close()
		return p.publish(c, topic, args[1:])
	}
	return c
}

// publisher puts messages into a topic.
type publisher struct {
	raw     bool
	timeout duration
}

func (p *publisher) publish(c *cobra.Command, topic *channel.Topic, messages []string) error {
	put := func(message []byte) error {
		ctx, cancel := within(c.Context(), p.timeout)
		defer cancel()
		return topic.Publish(ctx, message)
	}
	if len(messages) == 0 {
		_, err := putInput(c, topic, p.raw, put)
		return err
	}
	for _, message := range messages {
		if len(message) > topic.Longest() {
			return tooLong(c, topic)
		}
		if err := put([]byte(message)); err != nil {
			return err
		}
	}
	return nil
}
