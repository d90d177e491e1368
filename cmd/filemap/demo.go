package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Run server and client as two processes and show what they say",
		Long: `Run 'filemap server' and 'filemap client' as two processes that share a mapping, show
what both say, and end by itself. It fails if the message does not arrive.`,
		Example:           `  filemap demo`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(c *cobra.Command, _ []string) error {
			defer catchSignals(c)()
			return demo(c)
		},
	}
}

func demo(c *cobra.Command) error {
	// A name of its own, so that it runs beside a server and other demos.
	name := fmt.Sprintf("%s-%d", sampleName, os.Getpid())
	server, err := startSide(c, "server", name)
	if err != nil {
		return err
	}
	defer server.stop()
	client, err := startSide(c, "client", name)
	if err != nil {
		return err
	}
	defer client.stop()
	if err := client.finish(); err != nil {
		return err
	}
	if err := server.finish(); err != nil {
		return err
	}
	if want := fmt.Sprintf("%q", sampleMessage); !strings.Contains(client.said, want) {
		return fmt.Errorf("demo: the client did not read the message")
	}
	return nil
}

// side is one of the demo's two processes.
type side struct {
	role  string
	cmd   *exec.Cmd
	stdin io.WriteCloser
	said  string
}

// startSide starts a process and shows what it says until it waits for ENTER.
func startSide(c *cobra.Command, role, name string) (*side, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &side{role: role, cmd: exec.CommandContext(c.Context(), program, role, name)}
	s.cmd.Stderr = c.ErrOrStderr()
	s.cmd.Cancel = func() error { return s.stdin.Close() } // let it clean up
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	out := c.OutOrStdout()
	fmt.Fprintf(out, "%s (process %d):\n", role, s.cmd.Process.Pid)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		s.said += lines.Text() + "\n"
		fmt.Fprintf(out, "    %s\n", lines.Text())
		if strings.HasPrefix(lines.Text(), "Press ENTER") {
			return s, nil
		}
	}
	return nil, s.failed(s.cmd.Wait())
}

// finish presses ENTER and waits for the process to end.
func (s *side) finish() error {
	_, _ = io.WriteString(s.stdin, "\n") // if it has ended, Wait tells how
	s.stdin.Close()
	if err := s.cmd.Wait(); err != nil {
		return s.failed(err)
	}
	return nil
}

// stop ends a process that finish has not seen to its end.
func (s *side) stop() {
	s.stdin.Close()
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Wait()
	}
}

func (s *side) failed(err error) error {
	if err == nil {
		err = context.Canceled
	}
	return fmt.Errorf("demo: the %s failed: %w", s.role, err)
}
