//go:build filemap_steps

package step

// Explorer chooses for a [Schedule]: it goes through all orders in which a process is
// interrupted up to so many times, and up to so many die at any step. A run can't be
// taken back, so each begins anew and repeats the choices up to where it differs.
type Explorer struct {
	Interruptions, Deaths int

	path              []fork
	at                int // in this run: the next fork
	interrupted, dead int
}

// fork is a point of a run with several ways to go on.
type fork struct{ taken, ways int }

// Advance turns to the next order. It reports whether there is one.
func (e *Explorer) Advance() bool {
	e.at, e.interrupted, e.dead = 0, 0, 0
	for len(e.path) > 0 {
		last := &e.path[len(e.path)-1]
		if last.taken++; last.taken < last.ways {
			return true
		}
		e.path = e.path[:len(e.path)-1]
	}
	return false
}

// Dead returns how many processes have died in this run.
func (e *Explorer) Dead() int { return e.dead }

// Choose is for [Schedule.Play].
func (e *Explorer) Choose(n, last, _ int) int {
	goesOn := last >= 0 // so another one would interrupt it
	var ways []int
	if goesOn {
		ways = append(ways, last)
	}
	for i := range n {
		if i != last && (!goesOn || e.interrupted < e.Interruptions) {
			ways = append(ways, i)
		}
	}
	if goesOn && e.dead < e.Deaths {
		ways = append(ways, -1-last)
	}
	way := ways[e.fork(len(ways))]
	switch {
	case way < 0:
		e.dead++
	case goesOn && way != last:
		e.interrupted++
	}
	return way
}

func (e *Explorer) fork(ways int) int {
	if ways == 1 {
		return 0
	}
	if e.at == len(e.path) {
		e.path = append(e.path, fork{0, ways})
	}
	e.at++
	return e.path[e.at-1].taken
}
