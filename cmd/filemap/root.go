package main

import (
	"github.com/spf13/cobra"
)

const rootLong = `filemap shows and uses named file mappings, the memory that Windows programs share
by name, on Windows and on Linux alike.

A name is Local\X (this user's), Global\X (the machine's) or X, which means Local\X.
In a shell, quote it: 'Local\SampleMap'. On Linux, /x is the name of shm_open(3).

Sizes are bytes, 0x..., or have a suffix: 64KiB, 16MiB, 1GiB. Durations are 250ms, 1m30s.

Exit codes: 0 done, 1 failed, 2 usage, 3 no such name, 4 wrong kind, 5 access denied,
6 name exists, 124 timed out. 'filemap lock', 'filemap create' and 'filemap job run' pass on
that of a command that they run.`

const rootExample = `  filemap demo                                  # two processes share a message
  filemap create 'Local\Scratch' --size 1MiB    # hold a mapping; in another terminal:
  echo hello | filemap write 'Local\Scratch'
  filemap dump 'Local\Scratch' --length 16
  filemap ls`

// newRoot returns the command with all its verbs.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "filemap",
		Short:         "Show and use named file mappings",
		Long:          rootLong,
		Example:       rootExample,
		SilenceErrors: true, // report prints them
		SilenceUsage:  true,
	}
	root.AddCommand(
		newServer(), newClient(), newDemo(),
		newCreate(), newList(), newInfo(),
		newCat(), newWrite(), newDump(),
		newWait(), newSet(), newReset(), newPulse(), newRelease(), newTimer(), newLock(), newJob(),
		newSend(), newReceive(), newPublish(), newSubscribe(), newPut(), newGet(),
		newClean(), newVersion(), newCompletion(), newCompleteLine(),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.CompletionOptions.DisableDefaultCmd = true
	strict(root)
	completeNoFiles(root)
	return root
}
