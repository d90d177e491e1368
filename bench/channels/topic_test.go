package channels

import (
	"slices"
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
		contestant string
		takes      []exercise
	}{
		{"unix socket", []exercise{roundTrip, oneWay, setup, idle}},
		{"TCP loopback", []exercise{roundTrip, oneWay, setup}},
		{"gRPC unary, unix socket", []exercise{roundTrip}},
		{"filemap Queue", []exercise{roundTrip, oneWay, idle}},
		{"filemap Topic, 1 subscriber", []exercise{roundTrip, oneWay}},
		{"filemap Topic, 2 subscribers", []exercise{oneWay}},
	} {
		one, ok := contestantByName(c.contestant)
		if !ok {
			t.Errorf("there is no %s", c.contestant)
		}
		for _, does := range []exercise{roundTrip, oneWay, setup, idle} {
			if want := slices.Contains(c.takes, does); one.takes(does) != want {
				t.Errorf("%s: takes part in %s: %v", c.contestant, does, !want)
			}
		}
	}
}
