package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/inspect"
)

// TestUnknownIsSaid: what is not known is null or left out in JSON, and said to
// be unknown to people.
func TestUnknownIsSaid(t *testing.T) {
	locked := inspect.State{Owner: os.Getpid()}
	hidden := inspect.State{Signaled: true}
	hidden.Unknown.Manual, hidden.Unknown.Waiters, hidden.Unknown.Period = true, true, true
	for _, test := range []struct {
		kind   string
		denied bool
		state  inspect.State
		json   string
		text   []string
	}{
		{"mutex", true, inspect.State{}, `{}`, []string{"state\tunknown (access denied)"}},
		{"semaphore", true, inspect.State{}, `{}`, []string{"state\tunknown (access denied)"}},
		{"event", true, inspect.State{}, `{}`, []string{"state\tunknown (access denied)"}},
		{"timer", true, inspect.State{}, `{}`, []string{"state\tunknown (access denied)"}},
		{"mapping", true, inspect.State{}, `{}`, nil},
		{"job", true, inspect.State{}, `{}`, []string{"state\tunknown (access denied)"}},
		{"job", false, inspect.State{}, `{}`, []string{"state\tunknown"}}, // it has no name
		{"mutex", false, inspect.State{},
			`{"abandoned":false,"locked":true,"owner":null,"waiters":false}`,
			[]string{"owner\tunknown", "waiters\tno"}},
		{"mutex", false, hidden, `{"abandoned":false,"locked":false,"owner":0,"waiters":null}`,
			[]string{"owner\t-", "waiters\tunknown"}},
		{"timer", false, hidden,
			`{"due":null,"manual_reset":null,"period":null,"signaled":true,"waiters":null}`,
			[]string{"signaled\tyes", "manual reset\tunknown", "due\tnever", "waiters\tunknown"}},
	} {
		o := inspect.Object{Kind: test.kind, Denied: test.denied, State: test.state}
		got, err := json.Marshal(state(o))
		if err != nil || string(got) != test.json {
			t.Errorf("%+v: JSON %s, %v, want %s", o, got, err, test.json)
		}
		var text strings.Builder
		printState(&text, o)
		want := strings.Join(test.text, "\n")
		if want != strings.TrimSuffix(text.String(), "\n") {
			t.Errorf("%+v: %q, want %q", o, text.String(), want)
		}
	}
	if got := describeOwner(locked); got == "unknown" {
		t.Errorf("an owner that is known is %s", got)
	}
}
