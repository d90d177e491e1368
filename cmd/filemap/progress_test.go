package main

import (
	"strings"
	"testing"
	"time"
)

func TestProgress(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out, start: time.Now().Add(-progressAfter)}
	p.show(1, 4)
	want := "\rreserving [" + strings.Repeat("#", 10) + strings.Repeat(".", 30) + "]  25 %  "
	if got := out.String(); got != want {
		t.Errorf("show printed %q, want %q", got, want)
	}
	p.clear()
	if got := out.String(); got != want+"\r\x1b[K" {
		t.Errorf("show and clear printed %q", got)
	}
}

// TestProgressShort checks that short work shows no bar, and clears none.
func TestProgressShort(t *testing.T) {
	var out strings.Builder
	p := &progress{out: &out, start: time.Now().Add(time.Hour)}
	p.show(1, 4)
	p.clear()
	if out.Len() > 0 {
		t.Errorf("printed %q", out.String())
	}
}
