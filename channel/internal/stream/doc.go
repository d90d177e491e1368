// Package stream has what two processes share about the streams of a session, and
// how goroutines wait in it. It knows neither mappings nor events: the caller
// provides the memory, and runs what touches it under its guard.
//
// A session is between a process that dials and one that accepts. Its streams are
// in numbered slots. The dialer alone chooses a slot for a new stream ([Slots]), and
// gives the stream a generation, which is never given twice in a session. A slot is
// free for another stream when both sides have left it ([Life]).
//
// A goroutine that waits for a stream sets a flag in the stream's own words. The
// other side, when it has changed the stream and finds the flag, clears it, notes the
// slot in the [News] of the goroutine's side, and rings that side's bell. Each side
// has one bell. One of the goroutines that wait in a process sleeps on it, and hands
// the news to the others ([Waiters]).
//
// All words may be written by a hostile process. What they say is checked against
// what this process knows by itself, and never makes a loop longer than the number of
// slots.
package stream

// Side is one of the two processes of a session.
type Side int

const (
	Dialer Side = iota
	Accepter
)

// Most is how many slots a session has at most.
const Most = 1 << 14

// line is how far apart words are that different processes write.
const line = 128
