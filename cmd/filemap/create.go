package main

import (
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/filemap-go/filemap"
)

func newCreate() *cobra.Command {
	var o newObject
	var share shareFlag
	var untilSignal bool
	c := &cobra.Command{
		Use:   "create NAME [flags] [-- CMD [ARG...]]",
		Short: "Create a mapping or another object and hold it",
		Long: `Create a mapping, or an object of another --kind, and hold it:
  - until ENTER, the end of the input, SIGTERM or Ctrl-C;
  - with --hold, until SIGTERM or Ctrl-C, as a script needs that runs it in the background,
    where there is no input;
  - with -- CMD, while the command runs. Signals are passed on to the command and its exit
    code is filemap's, as those of 'filemap lock' are. If filemap is killed, the command
    runs on. The output is the command's: what filemap says goes to standard error.
Other processes may go on using the object after that; it is gone with the last of them.

A queue, topic or latest is one of package channel: 'filemap send' and 'recv' use queues,
'publish' and 'subscribe' topics, 'put' and 'get' a latest. A held one keeps its messages, or
its value, between them. A job has no members yet, and CMD is none: 'filemap job run' runs a
command in a job.`,
		Example: `  filemap create 'Local\Scratch' --size 1MiB
  filemap create 'Local\Table' --size 0 --file table.bin   # all of a file
  filemap create 'Global\Board' --size 64KiB --share read  # everybody may read
  filemap create 'Local\Slots' --kind semaphore --count 4 --tracked --hold &
  filemap create 'Local\Ready' --kind event --manual-reset -- ./start.sh
  filemap create 'Local\Jobs' --kind queue --capacity 16MiB -- ./pipeline.sh
  filemap create 'Local\Progress' --kind latest --size 64 -- ./build.sh`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	o.addFlags(c)
	share.addTo(c, "what all users may do with it", "none", "read", "all")
	c.Flags().BoolVar(&untilSignal, "hold", false, "hold it until SIGTERM or Ctrl-C, whatever the input")
	c.RunE = func(c *cobra.Command, args []string) error {
		name, command, err := splitCommand(c, args)
		if err != nil {
			return err
		}
		if untilSignal && command != nil {
			return badUsage(c, "--hold and -- CMD exclude each other")
		}
		if o.security, err = share.security(c); err != nil {
			return err
		}
		if err := o.check(c); err != nil {
			return err
		}
		defer catchSignals(c)()
		made, err := o.create(c, name)
		if err != nil {
			return err
		}
		defer made.Close()
		return keep(c, made, command, untilSignal)
	}
	return c
}

// keep holds an object as long as the user asked for.
func keep(c *cobra.Command, made created, command []string, untilSignal bool) error {
	if command != nil {
		fmt.Fprintln(c.ErrOrStderr(), made)
		code, err := run(c, command, (*exec.Cmd).Start)
		if err == nil && code != 0 {
			err = exitCode(code)
		}
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), made)
	if untilSignal {
		<-c.Context().Done()
		return nil
	}
	fmt.Fprintln(c.OutOrStdout(), "Press ENTER to clean up resources and quit")
	start := time.Now()
	if untilEnter(c.Context(), c.InOrStdin()) && time.Since(start) < endedAtOnce {
		fmt.Fprintf(c.ErrOrStderr(), "filemap: create %s: the input is at its end, so nothing holds it: "+
			"use --hold, or -- CMD to hold it while a command runs\n", printable(made.Name()))
	}
	return nil
}

// endedAtOnce is how soon the input of a script ends that gives none, rather than
// that of a user who presses Ctrl-D.
const endedAtOnce = time.Second

// created is an object that is held.
type created struct {
	held
	kind   string
	size   string // "" for kinds without one
	native string
}

// held is what every kind of object has.
type held interface {
	Name() string
	Close() error
}

// String says what is created.
func (o created) String() string {
	kind, size := o.kind, ""
	if kind == "mapping" {
		kind = "file mapping"
	}
	if o.size != "" {
		size = o.size + " at "
	}
	return fmt.Sprintf("The %s (%s) is created: %s%s",
		kind, printable(o.Name()), size, printable(o.native))
}

// createMapping makes a mapping, and shows how far it is.
func createMapping(c *cobra.Command, name string, length int64, opts *filemap.CreateOptions) (
	*filemap.Mapping, error,
) {
	bar := &progress{out: c.ErrOrStderr(), start: time.Now()}
	opts.Context = c.Context()
	if isTerminal(c.ErrOrStderr()) {
		opts.Progress = bar.show
	}
	mapping, err := filemap.Create(name, length, opts)
	bar.clear()
	if err != nil && opts.File != "" {
		err = withRoom(err, opts.File)
	}
	return mapping, err
}

// progress is a bar for the reserving of memory, which takes long for huge
// mappings.
type progress struct {
	out   io.Writer
	start time.Time
	shown bool
}

const (
	progressAfter = 500 * time.Millisecond // shorter work needs no bar
	progressWidth = 40
)

func (p *progress) show(done, total int64) {
	if time.Since(p.start) < progressAfter {
		return
	}
	p.shown = true
	full := int(float64(done) / float64(total) * progressWidth)
	fmt.Fprintf(p.out, "\rreserving [%s%s] %3.0f %%  ", strings.Repeat("#", full),
		strings.Repeat(".", progressWidth-full), float64(done)/float64(total)*100)
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
