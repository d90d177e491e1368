package channels

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/filemap-go/filemap/bench/measure"
)

var background = context.Background()

// Roles are the main functions of the processes that take part.
var Roles = measure.Roles{role: play}

// play is the main function of a process that takes part in a bout.
func play() error {
	var b bout
	if err := json.Unmarshal([]byte(os.Getenv(boutVariable)), &b); err != nil {
		return err
	}
	c, ok := contestantByName(b.Contestant)
	if !ok {
		return fmt.Errorf("there is no contestant %q", b.Contestant)
	}
	var err error
	if b.End == clientEnd {
		err = b.playClient(c)
	} else {
		err = b.playServer(c)
	}
	if err != nil {
		return fmt.Errorf("%s, %s, %d bytes, %s: %w", b.Contestant, b.Exercise, b.Size, b.End, err)
	}
	return nil
}

func (r sideResult) tell() error { return json.NewEncoder(os.Stdout).Encode(r) }

// waitForEnd waits for the end of the client, or of the benchmark.
func waitForEnd() error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
