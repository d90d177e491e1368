package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
)

// explainMissing turns 'no such name' into 'access denied' where the name is
// another user's Local one, which this user's programs never see: whoever
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

// completeNames completes the first n arguments by the names of live objects.
func completeNames(n int) cobra.CompletionFunc {
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
		for _, o := range objects {
			if name, ok := completion(o.Name, prefix); ok {
				names = append(names, cobra.CompletionWithDesc(name, o.Kind))
			}
		}
		return names, none
	}
}

// completion returns a name as one who began with prefix would go on: without
// Local\ if that is possible, because shells make trouble over a backslash.
// Names that are not fit for a terminal are left out.
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
