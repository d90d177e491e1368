package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestHelp checks that each command says what it does, and that its examples are
// command lines that it takes.
func TestHelp(t *testing.T) {
	for _, verb := range allCommands(newRoot()) {
		if verb.Short == "" || verb.Example == "" {
			t.Errorf("%s: Short is %q, Example is %q", verb.CommandPath(), verb.Short, verb.Example)
		}
		for line := range strings.Lines(verb.Example) {
			if args, ok := exampleArgs(line); !ok {
				t.Errorf("%s: the example %q is not of filemap", verb.CommandPath(), line)
			} else if path, err := parsed(args); err != nil {
				t.Errorf("%s: the example %q: %v", verb.CommandPath(), line, err)
			} else if verb.HasParent() && !strings.HasPrefix(path, verb.CommandPath()) {
				t.Errorf("%s: the example %q is of %s", verb.CommandPath(), line, path)
			}
		}
	}
}

func allCommands(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, below := range c.Commands() {
		all = append(all, allCommands(below)...)
	}
	return all
}

// exampleArgs returns filemap's arguments in a line for a shell.
func exampleArgs(line string) (args []string, ok bool) {
	for _, w := range splitLine(strings.TrimSpace(strings.ReplaceAll(line, "<(", "<( "))) {
		word := strings.TrimSuffix(w.typed, ")")
		switch {
		case word == "filemap" && !ok:
			ok = true
		case slices.Contains([]string{"|", "&", "#"}, word) || strings.HasPrefix(word, ">"):
			if ok {
				return args, true
			}
		case ok:
			args = append(args, strings.TrimSuffix(w.text, ")"))
		}
	}
	return args, ok
}

// parsed returns the path of the command that takes the arguments.
func parsed(args []string) (path string, err error) {
	root := newRoot()
	for _, c := range allCommands(root) {
		c.RunE = func(c *cobra.Command, _ []string) error {
			path = c.CommandPath()
			return nil
		}
	}
	root.SetArgs(args)
	return path, root.Execute()
}
