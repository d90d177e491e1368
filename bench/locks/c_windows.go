package locks

import (
	"os/exec"
	"time"

	"github.com/filemap-go/filemap/bench/measure"
)

// cLocks are for Linux.
type cLocks struct{}

func startC() (*cLocks, error) { return nil, exec.ErrNotFound }

func (*cLocks) stop() error { return nil }

func (*cLocks) lap(string, cKind) measure.Lap { return nil }

func (*cLocks) fighter(cKind, time.Duration) func() (*exec.Cmd, error) { return nil }

func (*cLocks) remove(cKind) error { return nil }

func (*cLocks) killOwner() (time.Duration, error) { return 0, exec.ErrNotFound }
