package main

import (
	"math"
	"testing"
)

func TestSizeSet(t *testing.T) {
	for text, want := range map[string]int64{
		"0":                      0,
		"1":                      1,
		"4096":                   4096,
		"0x10":                   16,
		"0xFf":                   255,
		"64KiB":                  64 << 10,
		"0x10KiB":                16 << 10,
		"3MiB":                   3 << 20,
		"2GiB":                   2 << 30,
		"9223372036854775807":    math.MaxInt64,
		"0x7fffffffffffffff":     math.MaxInt64,
		"8589934591GiB":          math.MaxInt64 - 1<<30 + 1,
		"9007199254740991KiB":    math.MaxInt64 - 1<<10 + 1,
		"0000000000000000000010": 10,
	} {
		var got size
		if err := got.Set(text); err != nil || int64(got) != want {
			t.Errorf("Set(%q) = %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestSizeSetFails(t *testing.T) {
	for _, text := range []string{
		"", " ", "-1", "+1", "1.5", "1e3", "1_000", "0b1", "0X10", "x10", "10h", "0x", "KiB", "0xKiB",
		"1 KiB", "1K", "1KB", "1kib", "1TiB", "1KiBKiB", "1KiB ", "٣",
		"9223372036854775808", "0x8000000000000000", "18446744073709551616",
		"8589934592GiB", "9007199254740992KiB", "17179869184GiB", "18446744073709551615GiB",
	} {
		got := size(42)
		if err := got.Set(text); err == nil || got != 42 {
			t.Errorf("Set(%q) = %d, %v, want an error and no change", text, got, err)
		}
	}
}

// TestSizeString checks that what is shown is what can be typed.
func TestSizeString(t *testing.T) {
	for want, n := range map[string]size{
		"0": 0, "1": 1, "1023": 1023, "1KiB": 1024, "1025": 1025, "1536": 1536, "64KiB": 64 << 10,
		"1023KiB": 1023 << 10, "1MiB": 1 << 20, "1GiB": 1 << 30, "2048GiB": 2 << 40,
		"9223372036854775807": math.MaxInt64,
	} {
		var back size
		if got := n.String(); got != want {
			t.Errorf("size(%d).String() = %q, want %q", int64(n), got, want)
		} else if err := back.Set(got); err != nil || back != n {
			t.Errorf("Set(%q) = %d, %v, want %d", got, int64(back), err, int64(n))
		}
	}
}

func TestDescribeSize(t *testing.T) {
	for want, n := range map[string]int64{
		"0 bytes": 0, "1 byte": 1, "1025 bytes": 1025, "2KiB": 2048,
	} {
		if got := describeSize(n); got != want {
			t.Errorf("describeSize(%d) = %q, want %q", n, got, want)
		}
	}
}
