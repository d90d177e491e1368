package guard

import (
	"os"

	"github.com/filemap-go/filemap/internal/sys"
)

// Exit codes of a guard that could not do its work.
const exitFailed = 125

func init() {
	if len(os.Args) == 0 || !isGuard(os.Args[0]) {
		return
	}
	// Another user who runs a set-user-ID program chooses its arguments.
	if sys.Privileged() {
		return
	}
	setup, path, command, ok := parse(os.Args)
	if !ok {
		os.Exit(exitFailed)
	}
	switch os.Args[0] {
	case outerName:
		os.Exit(runOuter(setup, path, command))
	case innerName:
		os.Exit(runInner(setup, path, command))
	case outerKeeperName:
		os.Exit(runOuterKeeper(setup))
	case innerKeeperName:
		os.Exit(runInnerKeeper(setup))
	}
}
