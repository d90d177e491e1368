package main

import (
	"testing"
	"time"
)

func TestTopicReachesAll(t *testing.T) {
	for n := range topicContestants() {
		c := topicContestants()[n]
		b := bout{Exercise: oneWay, Size: 100, Time: 10 * time.Millisecond}
		sent, got := playHere(t, c, b)
		if len(got) != n+1 {
			t.Errorf("%s: there are %d servers", c.name, len(got))
		}
		for _, one := range got {
			if one.Messages != sent.Messages {
				t.Errorf("%s: a server got %d of %d messages", c.name, one.Messages, sent.Messages)
			}
		}
	}
}

func TestTeamResult(t *testing.T) {
	var servers team
	for i := range 3 {
		servers = append(servers, &teamPlayer{player: &player{result: sideResult{
			Messages: 7, Elapsed: time.Duration(10 - i), Processor: 2, Allocs: 1,
		}}})
	}
	got := servers.result()
	if got.Messages != 7 || got.Elapsed != 10 || got.Processor != 6 || got.Allocs != 3 {
		t.Errorf("together: %+v", got)
	}
}

func TestTakes(t *testing.T) {
	for _, c := range []struct {
		contestant     string
		trips, oneWays bool
	}{
		{"unix socket", true, true},
		{"gRPC unary, unix socket", true, false},
		{"filemap Topic, 1 subscriber", true, true},
		{"filemap Topic, 2 subscribers", false, true},
	} {
		one, ok := contestantByName(c.contestant)
		if !ok || one.takes(roundTrip) != c.trips || one.takes(oneWay) != c.oneWays {
			t.Errorf("%s: takes round trips %v, one way %v", c.contestant,
				one.takes(roundTrip), one.takes(oneWay))
		}
	}
}
