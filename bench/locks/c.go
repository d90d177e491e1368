package locks

import "github.com/filemap-go/filemap/bench/measure"

// cKind is a kind of locks that C programs share.
type cKind string

const (
	robustMutex    cKind = "robust"
	posixSemaphore cKind = "sem"
)

func (k cKind) String() string {
	if k == robustMutex {
		return "C: robust pthread mutex"
	}
	return "C: POSIX semaphore"
}

// addC adds a case of C's, and compares ours with it. It adds nothing if c is nil.
func addC(contest *measure.Contest, c *cLocks, what, ours string, kind cKind) {
	if c == nil {
		return
	}
	name := kind.String()
	contest.Cases = append(contest.Cases, measure.Case{Name: name, Lap: c.lap(what, kind)})
	contest.Rows = append(contest.Rows, measure.Row{Ours: ours, Base: name})
}
