package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
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
		Long: `Run 'filemap server' and 'filemap client' as two processes that share the mapping
Local\SampleMap, or another one if that exists, show what both say, and end by itself. It
fails if the message does not arrive.`,
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
	server, name, err := startServer(c)
	if err != nil {
		return server.failed(c, err)
	}
	defer server.stop()
	client, err := startSide(c, "client", name)
	if err != nil {
		return client.failed(c, err)
	}
	defer client.stop()
	if err := client.finish(); err != nil {
		return client.failed(c, err)
	}
	if err := server.finish(); err != nil {
		return server.failed(c, err)
	}
	if want := fmt.Sprintf("%q", sampleMessage); !strings.Contains(client.said, want) {
		return fmt.Errorf("demo: the client did not read the message")
	}
	return nil
}

// startServer starts the server on the sample's own name or, beside another server
// or demo, on a name that nobody else has.
func startServer(c *cobra.Command) (server *side, name string, err error) {
	server, err = startSide(c, "server", sampleName)
	exited, _ := errors.AsType[*exec.ExitError](err)
	if exited == nil || exited.ExitCode() != exitExists {
		return server, sampleName, err
	}
	name = fmt.Sprintf("%s-%d", sampleName, os.Getpid())
	fmt.Fprintf(c.OutOrStdout(), "%s is taken: the demo uses %s\n", sampleName, name)
	server, err = startSide(c, "server", name)
	return server, name, err
}

// side is one of the demo's two processes.
type side struct {
	role   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	said   string
	errors bytes.Buffer // complete when the process has ended
}

// startSide starts a process and shows what it says until it waits for ENTER. With
// an error, it has not started, or has ended.
func startSide(c *cobra.Command, role, name string) (*side, error) {
	s := &side{role: role}
	program, err := os.Executable()
	if err != nil {
		return s, err
	}
	s.cmd = exec.CommandContext(c.Context(), program, role, name)
	s.cmd.Stderr = &s.errors
	s.cmd.Cancel = func() error { return s.stdin.Close() } // let it clean up
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return s, err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return s, err
	}
	if err := s.cmd.Start(); err != nil {
		return s, err
	}
	out := c.OutOrStdout()
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if s.said == "" {
			fmt.Fprintf(out, "%s (process %d):\n", role, s.cmd.Process.Pid)
		}
		s.said += lines.Text() + "\n"
		fmt.Fprintf(out, "    %s\n", lines.Text())
		if strings.HasPrefix(lines.Text(), "Press ENTER") {
			return s, nil
		}
	}
	if err := s.cmd.Wait(); err != nil {
		return s, err
	}
	return s, context.Canceled
}

// finish presses ENTER and waits for the process to end.
func (s *side) finish() error {
	_, _ = io.WriteString(s.stdin, "\n") // if it has ended, Wait tells how
	s.stdin.Close()
	return s.cmd.Wait()
}

// stop ends a process that finish has not seen to its end.
func (s *side) stop() {
	s.stdin.Close()
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Wait()
	}
}

// failed shows what a process that failed said of it.
func (s *side) failed(c *cobra.Command, err error) error {
	_, _ = c.ErrOrStderr().Write(s.errors.Bytes())
	return fmt.Errorf("demo: the %s failed: %w", s.role, err)
}
