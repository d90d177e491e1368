package test

import (
	"os"
	"runtime"
	"strconv"
	"testing"
)

// effort returns how often a test does something. By default that is quick, for a run of
// all tests in a minute, and half of that on Windows, where Wine starts three processes a
// second. The environment variable FILEMAP_TEST_LONG moves it towards long: 1 is all the
// way, for a run of several minutes, and a fraction such as 0.1 is that part of the way.
func effort(t testing.TB, quick, long int) int {
	t.Helper()
	if runtime.GOOS == "windows" {
		quick /= 2
	}
	text := os.Getenv("FILEMAP_TEST_LONG")
	if text == "" {
		return quick
	}
	part, err := strconv.ParseFloat(text, 64)
	if err != nil || part < 0 || part > 1 {
		t.Fatalf("FILEMAP_TEST_LONG=%s: want a number from 0 to 1", text)
	}
	return quick + int(part*float64(long-quick))
}
