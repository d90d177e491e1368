package channels

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

	"github.com/filemap-go/filemap/bench/machine"
	"github.com/filemap-go/filemap/bench/measure"
)

const (
	role         = "channel"
	boutVariable = "FILEMAP_BENCH_BOUT"
)

// bout is one contestant doing one exercise for some time, by processes of its
// own: that no other can have left them cold, or their memory scattered.
type bout struct {
	Contestant string
	Exercise   exercise
	Size       int
	Time       time.Duration
	Bytes      int64 // of the exercise bulk, instead of a time
	End        end
	Name       string
	Servers    int // 0 is for one, too
}

// warmUp is how long the contestant runs before it is measured.
func (b bout) warmUp() time.Duration { return b.Time / 4 }

// boutResult is what the processes found out.
type boutResult struct {
	client, server sideResult
	line           measure.Bracket
}

// run runs all processes.
func (b bout) run(program string, pin bool) (boutResult, error) {
	const most = 2 * time.Minute // more than any bout needs
	ctx, cancel := context.WithTimeout(background, most)
	defer cancel()
	onClient, onServer, ok := machine.Processors()
	if !pin || !ok {
		onClient, onServer = anyProcessor, anyProcessor
	}
	var servers team
	for range max(1, b.Servers) {
		server, err := b.start(ctx, serverEnd, program, onServer)
		if err != nil {
			cancel()
			return boutResult{}, errors.Join(err, servers.end())
		}
		// If it fails, the others would wait for it.
		servers.add(server, cancel)
	}
	client, err := b.start(ctx, clientEnd, program, onClient)
	if err != nil {
		cancel()
		return boutResult{}, errors.Join(err, servers.end())
	}
	err = client.wait()
	if err != nil {
		cancel()
	}
	err = errors.Join(err, client.input.Close(), servers.end())
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = errors.Join(fmt.Errorf("it did not end within %v", most), err)
	}
	return boutResult{client: client.result, server: servers.result()}, err
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
	return p, machine.StartOn(on, process)
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
	process.Env = append(os.Environ(), measure.RoleVariable+"="+role, boutVariable+"="+string(text))
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
