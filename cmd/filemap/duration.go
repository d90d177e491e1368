package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// duration is a flag's length of time, not negative.
type duration time.Duration

// never is the duration of a wait that nothing but a signal ends: that of
// --timeout where the flag is not given.
const never duration = -1

// Set parses a duration as Go writes it.
func (d *duration) Set(text string) error {
	parsed, err := time.ParseDuration(text)
	switch {
	case err != nil && isNumber(text):
		return fmt.Errorf("give a unit, as in %ss", text)
	case err != nil:
		return errors.New("a duration is numbers with units, as in 250ms, 5s, 1m30s")
	case parsed < 0:
		return errors.New("it is negative")
	}
	*d = duration(parsed)
	return nil
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 32)
	return err == nil
}

// String returns the duration. Those that help need not show as defaults are "",
// for never, and "0".
func (d *duration) String() string {
	switch *d {
	case never:
		return ""
	case 0:
		return "0"
	}
	return time.Duration(*d).String()
}

// Type is what help calls the value.
func (d *duration) Type() string { return "duration" }
