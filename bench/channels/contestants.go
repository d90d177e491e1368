package channels

import (
	"errors"
	"maps"
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

	// isLimit is whether the tables have its ratio to all others, which is why it
	// always takes part.
	isLimit bool

	// open returns an end.
	open opener

	// also has what stands for open in the exercises other than round trips and one
	// way. It takes part in those only that are there.
	also map[exercise]opener

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

// opener returns an end.
type opener func(e end, name string) (messenger, error)

// takes says whether the contestant takes part in an exercise.
func (c contestant) takes(does exercise) bool {
	if does == roundTrip || does == oneWay {
		return c.only == "" || c.only == does
	}
	return c.also[does] != nil
}

// opens returns an end for an exercise.
func (c contestant) opens(does exercise, e end, name string) (messenger, error) {
	if open := c.also[does]; open != nil {
		return open(e, name)
	}
	return c.open(e, name)
}

// in has the contestant take part in another exercise.
func (c contestant) in(does exercise, open opener) contestant {
	c.also = maps.Clone(c.also)
	if c.also == nil {
		c.also = make(map[exercise]opener)
	}
	c.also[does] = open
	return c
}

// errNeeds begins an error that says what is missing.
var errNeeds = errors.New("needs")

// contestants are what is compared. The first one is the baseline.
var contestants = slices.Concat([]contestant{
	framed("unix socket", unixSocket).in(idle, unixSocket.openFramed).in(crowd, unixSocket.openCrowd),
	framed("TCP loopback", tcpLoopback),
}, pipes, futexes, rings, []contestant{
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
