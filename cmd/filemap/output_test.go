package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// hostile is a name that an attacker chooses to harm users that list it.
const hostile = "Global\\a\x1b[2J\u009b2J\u202e\x7f\r\n\t<&>\u2028𝄞\U000e0001é"

func TestPrintable(t *testing.T) {
	want := `Global\a\x1b[2J\u009b2J\u202e\x7f\r\n\t<&>\u2028𝄞\U000e0001é`
	if got := printable(hostile); got != want {
		t.Errorf("printable(%q) = %q, want %q", hostile, got, want)
	}
}

// TestPrintJSON checks that JSON is fit for a terminal, and loses nothing.
func TestPrintJSON(t *testing.T) {
	var out strings.Builder
	if err := printJSON(&out, []string{hostile}); err != nil {
		t.Fatalf("printJSON: %v", err)
	}
	for _, r := range out.String() {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Errorf("printJSON printed %q, with %q", out.String(), r)
		}
	}
	if !strings.Contains(out.String(), "<&>") {
		t.Errorf("printJSON printed %q, want <&> as it is", out.String())
	}
	var back []string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back[0] != hostile {
		t.Errorf("printJSON printed %q, which reads %q, %v", out.String(), back, err)
	}
}

func TestCompletion(t *testing.T) {
	for _, test := range []struct{ name, prefix, want string }{
		{`Local\Map`, "", "Map"},
		{`Local\Map`, "M", "Map"},
		{`Local\Map`, `Local\M`, `Local\Map`},
		{`Local\Local`, "Loc", "Local"},
		{`Local\Map`, "X", ""},
		{`Global\Map`, "", `Global\Map`},
		{`Global\Map`, "M", ""},
		{hostile, "", ""},
	} {
		got, ok := completion(test.name, test.prefix)
		if ok != (test.want != "") || ok && got != test.want {
			t.Errorf("completion(%q, %q) = %q, %t, want %q", test.name, test.prefix, got, ok, test.want)
		}
	}
}
