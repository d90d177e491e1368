package locks

import (
	_ "embed"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/filemap-go/filemap/bench/measure"
)

//go:embed c/robust.c
var robustSource string

// startRobust returns what starts one of the processes that fight for a robust
// pthread mutex. The error is exec.ErrNotFound if there is no C compiler.
func startRobust(howLong time.Duration) (func() (*exec.Cmd, error), error) {
	program, file := measure.InDirectory("robust"), measure.InDirectory("robust-mutex")
	compiler := exec.Command("gcc", "-O2", "-Wall", "-pthread", "-o", program, "-xc", "-")
	compiler.Stdin = strings.NewReader(robustSource)
	if text, err := compiler.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("gcc: %w\n%s", err, text)
	}
	return func() (*exec.Cmd, error) {
		return exec.Command(program, file, strconv.FormatInt(howLong.Milliseconds(), 10)), nil
	}, nil
}
