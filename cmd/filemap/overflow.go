package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/channel"
)

// overflow is a flag's choice of what a topic's publishers do if a subscriber is slow.
type overflow channel.Overflow

func (o *overflow) addTo(c *cobra.Command, usage string) {
	c.Flags().Var(o, "overflow", usage+", block (publishers wait) or overwrite (the subscriber loses messages)")
	completeFlag(c, "overflow", "block", "overwrite")
}

// Set parses a choice.
func (o *overflow) Set(text string) error {
	switch text {
	case "block":
		*o = overflow(channel.Block)
	case "overwrite":
		*o = overflow(channel.Overwrite)
	default:
		return errors.New("give block or overwrite")
	}
	return nil
}

func (o *overflow) String() string { return strings.ToLower(channel.Overflow(*o).String()) }

// Type is what help calls the value.
func (o *overflow) Type() string { return "overflow" }
