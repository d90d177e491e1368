package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestFramesKeepLengths(t *testing.T) {
	var stream bytes.Buffer
	f := newFrames(&stream, &stream)
	sizes := []int{0, 1, copied, copied + 1, 1 << 20}
	for _, size := range sizes {
		if err := f.Send(bytes.Repeat([]byte{byte(size)}, size)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 1<<20)
	for _, size := range sizes {
		got, err := f.Receive(buf)
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{byte(size)}, size)) {
			t.Errorf("%d bytes came (%v), not the %d that were sent", len(got), err, size)
		}
	}
	if _, err := f.Receive(buf); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v, not EOF", err)
	}
}

func TestDoubt(t *testing.T) {
	for _, c := range []struct {
		trips []float64
		want  string
	}{
		{nil, "no two processors"},
		{[]float64{100, 120, 80}, ""},
		{[]float64{100, 100, 201}, "100 ns to 201 ns"},
		{[]float64{49, 100, 100}, "49.0 ns to 100 ns"},
	} {
		if got := doubt(c.trips); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("about %v: %q, not %q", c.trips, got, c.want)
		}
	}
}
