package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// usageError is a mistake in the command line.
type usageError struct {
	command *cobra.Command
	err     error
}

func (e usageError) Error() string {
	if !e.command.HasParent() {
		return e.err.Error()
	}
	return verb(e.command) + ": " + e.err.Error()
}

// verb returns what follows filemap in a command line, such as "timer set".
func verb(c *cobra.Command) string {
	_, verb, _ := strings.Cut(c.CommandPath(), " ")
	return verb
}

func (e usageError) Unwrap() error { return e.err }

// badUsage returns a usageError with a message of its own.
func badUsage(c *cobra.Command, format string, args ...any) error {
	return usageError{c, fmt.Errorf(format, args...)}
}

// strict makes all mistakes in the command lines of a command, and of those
// below it, usageErrors. Cobra's own errors are of no type.
func strict(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usageError{c, err} })
	if c.HasSubCommands() {
		c.Args = unknownCommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	} else {
		c.Args = strictArgs(c.Args)
	}
	for _, below := range c.Commands() {
		strict(below)
	}
}

// strictArgs returns a check of a command's arguments and required flags.
func strictArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if check(c, args) != nil {
			return badUsage(c, "%s given, usage: %s", counted(len(args), "argument"), c.UseLine())
		}
		for _, name := range nameArgs(c, args) {
			if err := checkName(c, name); err != nil {
				return err
			}
		}
		if err := c.ValidateRequiredFlags(); err != nil {
			return usageError{c, err}
		}
		return nil
	}
}

// unknownCommand is the check of a command that only has others below it.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	err := badUsage(c, "unknown command %q", args[0])
	if similar := c.SuggestionsFor(args[0]); len(similar) > 0 {
		return hinted{err, "did you mean " + c.CommandPath() + " " + strings.Join(similar, " or ") + "?"}
	}
	return err
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Show what a command does",
		Example:           `  filemap help create`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeCommands,
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, _ := c.Root().Find(args) // what is not found is the rest
			if len(rest) > 0 {
				return unknownCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// completeCommands completes the name of a command.
func completeCommands(
	c *cobra.Command, args []string, prefix string,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, verb := range c.Root().Commands() {
		if len(args) == 0 && verb.IsAvailableCommand() && strings.HasPrefix(verb.Name(), prefix) {
			names = append(names, cobra.CompletionWithDesc(verb.Name(), verb.Short))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
