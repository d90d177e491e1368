package main

import (
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
	uid, held := inspect.OtherUser(name)
	if !held {
		return err
	}
	var failed *object.Error
	if errors.As(err, &failed) {
		err = &object.Error{Op: failed.Op, Kind: failed.Kind, Name: failed.Name, Err: object.ErrPermission}
	}
	return hinted{err, fmt.Sprintf(
		`user %d has it, and Local names are one user's: Global\... names are for all`, uid)}
}

// completeNames completes the first n arguments by the names of live objects.
func completeNames(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, prefix string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const none = cobra.ShellCompDirectiveNoFileComp
		if len(args) >= n {
			return nil, none
		}
		objects, err := inspect.List("")
		if err != nil {
			return nil, none
		}
		var names []cobra.Completion
		for _, o := range objects {
			if strings.HasPrefix(o.Name, prefix) {
				names = append(names, cobra.CompletionWithDesc(o.Name, o.Kind))
			}
		}
		return names, none
	}
}
