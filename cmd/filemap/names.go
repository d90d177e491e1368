package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// explainMissing turns 'no such name' into 'access denied' where the name is
// another user's Local one, which this user's programs never see: the user who
// typed it wants to know why.
func explainMissing(name string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	uid, held := inspect.OtherUser(context.Background(), name)
	if !held {
		return err
	}
	var failed *object.Error
	if errors.As(err, &failed) {
		denied := *failed
		denied.Err = object.ErrPermission
		err = &denied
	}
	return hinted{err, fmt.Sprintf(
		`user %d has it, and Local names are one user's: Global\... names are for all`, uid)}
}

// nameArgs returns those of a command's arguments that are names of objects, or a
// pattern of them.
func nameArgs(c *cobra.Command, args []string) []string {
	switch {
	case strings.Contains(c.Use, "NAME..."):
		return args
	case len(args) > 0 && (strings.Contains(c.Use, "NAME") || strings.Contains(c.Use, "PATTERN")):
		return args[:1]
	}
	return nil
}

// checkName returns an error for a name that is most likely mistyped.
func checkName(c *cobra.Command, name string) error {
	if name == "" {
		return badUsage(c, "the name is empty")
	}
	prefix, base, ok := strings.Cut(name, "/")
	for _, scope := range []string{"Local", "Global"} {
		if ok && strings.EqualFold(prefix, scope) {
			return hinted{
				badUsage(c, `%s has a slash after %s, not a backslash`, name, prefix),
				fmt.Sprintf(`give '%s\%s', or 'Local\%s' if the name has the slash`, scope, base, name),
			}
		}
	}
	return nil
}

// completeNames completes the first n arguments by the names of live objects of
// some kinds, or of all.
func completeNames(n int, kinds ...string) cobra.CompletionFunc {
	return func(
		c *cobra.Command, args []string, prefix string,
	) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= n {
			return nil, none
		}
		objects, err := inspect.List(c.Context(), "")
		if err != nil {
			return nil, none
		}
		var names []cobra.Completion
		for _, o := range showChannels(objects, objects, false) {
			if len(kinds) > 0 && !slices.Contains(kinds, o.Kind) {
				continue
			}
			if name, ok := completion(o.Name, prefix); ok {
				names = append(names, cobra.CompletionWithDesc(name, o.Kind))
			}
		}
		return names, none
	}
}

// completion returns a name as a user who began with prefix would go on: without
// Local\ if that is possible, because then nothing needs a quote. Names that are
// not fit for a terminal are left out.
func completion(name, prefix string) (string, bool) {
	bare := strings.TrimPrefix(name, `Local\`)
	switch {
	case printable(name) != name:
		return "", false
	case strings.HasPrefix(bare, prefix):
		return bare, true
	}
	return name, strings.HasPrefix(name, prefix)
}
