package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

const (
	channelRole  = "channel"
	boutVariable = "FILEMAP_BENCH_BOUT"
)

// bout is one contestant doing one exercise for some time, by two processes of
// its own: that no other can have left them cold, or their memory scattered.
type bout struct {
	Contestant string
	Exercise   exercise
	Size       int
	Time       time.Duration
	End        end
	Name       string
}

// warmUp is how long the contestant runs before it is measured.
func (b bout) warmUp() time.Duration { return b.Time / 4 }

// boutResult is what both processes found out.
type boutResult struct{ client, server sideResult }

// run runs both processes.
func (b bout) run(program string, pin bool) (boutResult, error) {
	const most = 30 * time.Second // more than any bout needs
	ctx, cancel := context.WithTimeout(background, most)
	defer cancel()
	onClient, onServer, ok := processors()
	if !pin || !ok {
		onClient, onServer = anyProcessor, anyProcessor
	}
	server, err := b.start(ctx, serverEnd, program, onServer)
	if err != nil {
		return boutResult{}, err
	}
	client, err := b.start(ctx, clientEnd, program, onClient)
	if err != nil {
		cancel()
		return boutResult{}, errors.Join(err, server.wait())
	}
	serverEnded := make(chan error, 1)
	go func() {
		err := server.wait()
		if err != nil {
			cancel() // or the client would wait for it
		}
		serverEnded <- err
	}()
	err = client.wait()
	if err != nil {
		cancel()
	}
	// The server waits for the end of its input.
	err = errors.Join(err, client.input.Close(), server.input.Close(), <-serverEnded)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("it did not end within %v", most), err)
	}
	return boutResult{client.result, server.result}, err
}

// anyProcessor leaves the choice to the system.
const anyProcessor = -1

// player is one of the processes.
type player struct {
	process *exec.Cmd
	input   *os.File
	output  bytes.Buffer
	result  sideResult
}

func (b bout) start(ctx context.Context, e end, program string, on int) (*player, error) {
	b.End = e
	process, err := b.command(ctx, program)
	if err != nil {
		return nil, err
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	p := &player{process: process, input: ours}
	process.Stdin, process.Stdout, process.Stderr = theirs, &p.output, os.Stderr
	if on == anyProcessor {
		return p, process.Start()
	}
	return p, startOn(on, process)
}

// command returns this program in its role, or another one with its arguments:
// the end, the exercise, the size, the milliseconds, the name, the percentiles.
func (b bout) command(ctx context.Context, program string) (*exec.Cmd, error) {
	if program != "" {
		arguments := []string{
			string(b.End), string(b.Exercise), strconv.Itoa(b.Size),
			strconv.FormatInt(b.Time.Milliseconds(), 10), b.Name,
		}
		for _, p := range percentiles {
			arguments = append(arguments, fmt.Sprint(p))
		}
		return exec.CommandContext(ctx, program, arguments...), nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	process := exec.CommandContext(ctx, self)
	process.Env = append(os.Environ(), roleVariable+"="+channelRole, boutVariable+"="+string(text))
	return process, nil
}

func (p *player) wait() error {
	if err := p.process.Wait(); err != nil {
		return fmt.Errorf("%s: %w", p.process.Path, err)
	}
	if err := json.Unmarshal(p.output.Bytes(), &p.result); err != nil {
		return fmt.Errorf("what %s printed: %w", p.process.Path, err)
	}
	return nil
}
