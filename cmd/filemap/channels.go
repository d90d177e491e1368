package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/inspect"
)

// A channel is a mapping with objects beside it, whose names are the mapping's,
// a tilde and more. Every channel that is in use has the mutex of a place: a
// tilde and the place's number.
const placePattern = "~[1-9]*"

// showChannels gives the mappings that are channels, by the places that there
// are, their kinds, and leaves out what belongs to them.
func showChannels(objects, places []inspect.Object, parts bool) []inspect.Object {
	channels := make(map[string]bool)
	for _, o := range places {
		if name, place, ok := cutLast(o.Name); ok && o.Kind == "mutex" && isPlace(place) {
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
		if name, _, ok := cutLast(o.Name); parts || !ok || !channels[name] {
			shown = append(shown, o)
		}
	}
	return shown
}

// cutLast cuts a name at its last tilde.
func cutLast(name string) (channel, part string, ok bool) {
	at := strings.LastIndexByte(name, '~')
	if at < 0 {
		return name, "", false
	}
	return name[:at], name[at+1:], true
}

func isPlace(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// openOrAwait opens a channel. With --timeout it waits until a process creates it.
func openOrAwait[C, Options any](
	c *cobra.Command, name string, timeout duration,
	open func(string, *Options) (C, error), await func(context.Context, string, *Options) (C, error),
) (C, error) {
	if timeout == never {
		opened, err := open(name, nil)
		return opened, explainMissing(name, err)
	}
	ctx, cancel := within(c.Context(), timeout)
	defer cancel()
	opened, err := await(ctx, name, nil)
	if errors.Is(err, context.DeadlineExceeded) && isFree(name) {
		err = hinted{err, "no process has " + printable(name) + " open"}
	}
	return opened, err
}

// isFree reports whether no object has a name.
func isFree(name string) bool {
	_, err := channel.Inspect(name)
	return errors.Is(err, fs.ErrNotExist)
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
	if info.Type != "" {
		row("type", info.Type)
	}
	row("capacity", formatSize(info.Capacity))
	if info.Value != nil {
		printValue(row, *info.Value, info.Rings[0])
	} else {
		printRings(row, info.Rings)
	}
	for _, m := range info.InHand {
		by := "nobody: it was given back"
		if m.Place != 0 {
			by = formatTaker(m.Place, m.PID)
		}
		row("in hand", fmt.Sprintf("%s, position %d, taken %s before, by %s",
			describeSize(m.Length), m.Position, counted(m.Takes, "time"), by))
	}
	for _, s := range info.Streams {
		row(fmt.Sprintf("stream %d", s.ID), fmt.Sprintf("%s: %s sent, %s to be read; %s received, %s to be read", s.State,
			describeSize(int64(s.Sent.SentBytes)), describeSize(unread(s.Sent)),
			describeSize(int64(s.Received.SentBytes)), describeSize(unread(s.Received))))
	}
	row("members", countMembers(info.Members))
	for _, m := range info.Members {
		text := fmt.Sprint(m.PID)
		if m.Dead {
			text += " (dead)"
		}
		if m.Subscriber {
			text += fmt.Sprintf(": %s received, %d lost, %d behind", counted(m.Received, "message"), m.Lost, m.Lag)
		}
		row(fmt.Sprintf("place %d", m.Place), text)
	}
}

// unread returns how many bytes of a stream were sent and not read.
func unread(t channel.Traffic) int64 {
	return int64(max(t.SentBytes, t.ReceivedBytes) - t.ReceivedBytes)
}

// printRings writes what went through a channel's rings.
func printRings(row func(string, any), rings []channel.Traffic) {
	for _, t := range rings {
		row("sent", counted(t.Sent, "message")+", "+describeSize(int64(t.SentBytes)))
		row("received", counted(t.Received, "message")+", "+describeSize(int64(t.ReceivedBytes)))
		row("lag", counted(t.Lag, "message"))
		row("lost", counted(t.Lost, "message"))
		row("senders", formatSleeps("waiting for room", t.SendersWaiting, t.SendSleeps))
		row("receivers", formatSleeps("waiting", t.ReceiversWaiting, t.ReceiveSleeps))
	}
}

// printValue writes what a latest has, and what its readers do.
func printValue(row func(string, any), v channel.Value, t channel.Traffic) {
	version := "nothing has been written yet"
	if v.Version != 0 {
		version = fmt.Sprintf("version %d", v.Version)
	}
	row("value", describeSize(v.Size)+", "+version)
	row("written", fmt.Sprintf("%s, %s", counted(t.Sent, "time"), describeSize(int64(t.SentBytes))))
	row("readers", formatSleeps("waiting", t.ReceiversWaiting, t.ReceiveSleeps))
	row("leases", fmt.Sprintf("%d of %d", len(v.Leases), v.LeaseLimit))
	for _, l := range v.Leases {
		row("leased", fmt.Sprintf("version %d, by %s", l.Version, formatTaker(l.Place, l.PID)))
	}
}

func formatSleeps(what string, now int, ever uint64) string {
	return fmt.Sprintf("%d %s; %s so far", now, what, counted(ever, "wait"))
}

// formatTaker names the process that has something.
func formatTaker(place, pid int) string {
	if pid == 0 {
		return fmt.Sprintf("place %d", place)
	}
	return fmt.Sprintf("process %d, place %d", pid, place)
}

// countMembers tells how many handles and subscriptions there are. A handle can send
// and receive, so it is neither a sender nor a receiver.
func countMembers(members []channel.Member) string {
	var handles, subscribers, dead int
	for _, m := range members {
		switch {
		case m.Dead:
			dead++
		case m.Subscriber:
			subscribers++
		default:
			handles++
		}
	}
	text := counted(handles, "open handle")
	if subscribers > 0 {
		text += ", " + counted(subscribers, "subscriber")
	}
	if dead > 0 {
		text += fmt.Sprintf(", and %d of dead processes", dead)
	}
	return text
}
