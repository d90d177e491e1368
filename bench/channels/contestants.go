package channels

import (
	"errors"
	"slices"
)

// messenger is one side of a pair over which two processes send each other
// messages. A message keeps its length.
type messenger interface {
	// Send sends a message. The caller may change p afterwards.
	Send(p []byte) error
	// Receive returns the next message, which is valid until the next call. It
	// may be in buf, which is as long as the longest message, or elsewhere.
	Receive(buf []byte) ([]byte, error)
	Close() error
}

// end is one of the two processes.
type end string

const (
	clientEnd end = "client"
	serverEnd end = "server"
)

// A contestant is a way to send messages to another process. The processes
// begin at the same time, with the same name, which nobody used before: each
// waits for the others if it has to.
type contestant struct {
	name string

	// only says which of round trips and one way the contestant takes part in,
	// if not in both.
	only exercise

	// servers is how many processes get every message, if more than one.
	servers int

	// open returns an end.
	open func(e end, name string) (messenger, error)

	// setup, unless it is nil, stands for open in the exercise of that name:
	// each message and its answer have a connection of their own.
	setup func(e end, name string) (messenger, error)

	// idles is whether it takes part in the exercise idle: one of each sort.
	idles bool

	// serve stands for open at the server's end of what only answers calls: it
	// calls seen with each request, then answers with the same bytes. At the
	// client's end Send calls, and Receive returns the answer. It goes on until
	// the process ends.
	serve func(name string, seen func(request []byte)) error

	// prepare, unless it is nil, is called before anything else. Its error is
	// errNeeds if the system lacks what the contestant takes.
	prepare func() (program string, err error)

	// program stands for open and serve if prepare returned one: the path of an
	// executable that plays either end.
	program string
}

// takes says whether the contestant takes part in an exercise.
func (c contestant) takes(does exercise) bool {
	switch does {
	case setup:
		return c.setup != nil
	case idle:
		return c.idles
	}
	return c.only == "" || c.only == does
}

// opens returns an end for an exercise.
func (c contestant) opens(does exercise, e end, name string) (messenger, error) {
	if does == setup {
		return c.setup(e, name)
	}
	return c.open(e, name)
}

// idling has a contestant take part in the exercise idle, too.
func idling(c contestant) contestant {
	c.idles = true
	return c
}

// errNeeds begins an error that says what is missing.
var errNeeds = errors.New("needs")

// contestants are what is compared. The first one is the baseline.
var contestants = slices.Concat([]contestant{
	idling(framed("unix socket", unixSocket)),
	framed("TCP loopback", tcpLoopback),
}, pipes, futexes, []contestant{
	grpcUnary("gRPC unary, unix socket", unixSocket),
	grpcStreaming("gRPC stream, unix socket", unixSocket),
	httpCalls("net/http, unix socket", unixSocket),
}, ours, topicContestants(), peerPrograms)

func contestantByName(name string) (contestant, bool) {
	i := slices.IndexFunc(contestants, func(c contestant) bool { return c.name == name })
	if i < 0 {
		return contestant{}, false
	}
	return contestants[i], true
}
