package main

import (
	"errors"
	"math/bits"
	"strconv"
	"strings"
)

// size is a flag's number of bytes.
type size int64

var sizeUnits = []struct {
	suffix string
	bytes  uint64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
}

// Set parses plain bytes, 0x..., or a number with a suffix.
func (s *size) Set(text string) error {
	digits, unit := text, uint64(1)
	for _, u := range sizeUnits {
		if number, ok := strings.CutSuffix(text, u.suffix); ok {
			digits, unit = number, u.bytes
		}
	}
	base := 10
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 63)
	high, product := bits.Mul64(n, unit)
	if err != nil || high != 0 || product > 1<<63-1 {
		return errors.New("a size is a number of bytes, 0x..., or a number with KiB, MiB or GiB")
	}
	*s = size(product)
	return nil
}

// String returns the size in the largest unit that it is a multiple of.
func (s *size) String() string { return formatSize(int64(*s)) }

// Type is what help calls the value.
func (s *size) Type() string { return "size" }

// formatSize returns a size as Set takes it.
func formatSize(n int64) string {
	for i := len(sizeUnits) - 1; i >= 0 && n > 0; i-- {
		if u := sizeUnits[i]; uint64(n)%u.bytes == 0 {
			return strconv.FormatInt(n/int64(u.bytes), 10) + u.suffix
		}
	}
	return strconv.FormatInt(n, 10)
}

// describeSize returns a size for a sentence: "64KiB", "40 bytes".
func describeSize(n int64) string {
	text := formatSize(n)
	if text != strconv.FormatInt(n, 10) {
		return text
	}
	if n == 1 {
		return "1 byte"
	}
	return text + " bytes"
}
