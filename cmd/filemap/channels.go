package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/inspect"
)

// A channel is a mapping with objects beside it, whose names are the mapping's,
// a tilde and more. This one all kinds of channels have:
const setupSuffix = "~setup"

// showChannels gives the mappings that are channels, by the setups that there
// are, their kinds, and leaves out what belongs to them.
func showChannels(objects, setups []inspect.Object, parts bool) []inspect.Object {
	channels := make(map[string]bool)
	for _, o := range setups {
		if name, ok := strings.CutSuffix(o.Name, setupSuffix); ok && o.Kind == "mutex" {
			channels[name] = true
		}
	}
	shown := objects[:0]
	for _, o := range objects {
		if channels[o.Name] && o.Kind == "mapping" {
			if info, err := channel.Inspect(o.Name); err == nil {
				o.Kind = info.Kind
			}
		}
		at := strings.LastIndexByte(o.Name, '~')
		if parts || at < 0 || !channels[o.Name[:at]] {
			shown = append(shown, o)
		}
	}
	return shown
}

// inspectChannel returns what a mapping is as a channel, if it is one.
func inspectChannel(o inspect.Object) (channel.Info, bool) {
	if o.Kind != "mapping" {
		return channel.Info{}, false
	}
	info, err := channel.Inspect(o.Name)
	return info, err == nil
}

// printChannel writes a channel's counters for people, a row each.
func printChannel(w io.Writer, info channel.Info) {
	row := func(label string, value any) { fmt.Fprintf(w, "%s\t%v\n", label, value) }
	row("capacity", formatSize(info.Capacity))
	for i, t := range info.Rings {
		if len(info.Rings) > 1 {
			row("", [...]string{"from the dialer:", "to the dialer:"}[i])
		}
		row("sent", fmt.Sprintf("%d messages, %s", t.Sent, describeSize(int64(t.SentBytes))))
		row("received", fmt.Sprintf("%d messages, %s", t.Received, describeSize(int64(t.ReceivedBytes))))
		row("lag", fmt.Sprintf("%d messages", t.Lag))
		row("lost", fmt.Sprintf("%d messages", t.Lost))
		row("senders", fmt.Sprintf("%d wait for room; %d waits so far", t.SendersWaiting, t.SendSleeps))
		row("receivers", fmt.Sprintf("%d wait; %d waits so far", t.ReceiversWaiting, t.ReceiveSleeps))
	}
	for _, m := range info.Members {
		text := fmt.Sprint(m.PID)
		if info.Kind == "topic" {
			text += fmt.Sprintf(": %d messages received, %d lost, %d behind", m.Received, m.Lost, m.Lag)
		}
		row(fmt.Sprintf("place %d", m.Place), text)
	}
}
