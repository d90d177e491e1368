package main

import (
	"fmt"
	"math"
	"strconv"
)

// counted returns a number of things, for a sentence: "1 message", "2 messages".
func counted[N int | uint64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// number is a flag's whole number, not negative.
type number int

// Set parses a number of decimal digits.
func (n *number) Set(text string) error {
	parsed, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return fmt.Errorf("give a whole number from 0 to %d", math.MaxInt32)
	}
	*n = number(parsed)
	return nil
}

func (n *number) String() string { return strconv.Itoa(int(*n)) }

// Type is what help calls the value.
func (n *number) Type() string { return "number" }
