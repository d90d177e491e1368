package main

import (
	"strings"
	"testing"
)

// TestContent checks that JSON of a content is one line, and loses nothing.
func TestContent(t *testing.T) {
	for data, want := range map[string]string{
		"":         `{"text":""}`,
		"a <b>":    `{"text":"a <b>"}`,
		"a\nb\x1b": `{"text":"a\nb\u001b"}`,
		"\u009b":   `{"text":"\u009b"}`,
		"\xff\x00": `{"base64":"/wA="}`,
	} {
		var out strings.Builder
		if err := printJSONLine(&out, contentOf([]byte(data))); err != nil {
			t.Fatalf("printJSONLine: %v", err)
		}
		if got := out.String(); got != want+"\n" {
			t.Errorf("the content %q is %q, want %q", data, got, want)
		}
	}
}
