package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/object"
)

// shares are the values of --share.
var shares = map[string]*object.Security{
	"none": nil,
	"read": {Everybody: object.ShareRead},
	"all":  {Everybody: object.ShareAll},
}

// shareFlag is what may be shared with all users.
type shareFlag struct {
	allowed []string
	given   string
}

// addTo adds --share, whose values are among those of shares.
func (s *shareFlag) addTo(c *cobra.Command, usage string, allowed ...string) {
	s.allowed = allowed
	c.Flags().StringVar(&s.given, "share", "none", usage+": "+strings.Join(allowed, ", "))
	completeFlag(c, "share", allowed...)
}

// security returns what the flag asks for.
func (s *shareFlag) security(c *cobra.Command) (*object.Security, error) {
	if !slices.Contains(s.allowed, s.given) {
		return nil, badUsage(c, "--share is %s, not %q", orList(s.allowed), s.given)
	}
	return shares[s.given], nil
}

// orList returns words as a list in a sentence: "a, b or c".
func orList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
