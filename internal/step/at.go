//go:build filemap_steps

package step

// killed is what a step panics with at which a process dies.
type killed struct{}

// Die ends what runs at this step, as if its process were killed.
func Die() { panic(killed{}) }

// At runs f, and does something at one of its steps: [Die], for example. It reports
// whether f has that many.
func At(n int, do, f func()) (reached bool) {
	Do = func() {
		if n--; n < 0 {
			Do = func() {}
			reached = true
			do()
		}
	}
	defer func() {
		Do = func() {}
		expectKilled(recover())
	}()
	f()
	return reached
}

// expectKilled panics with a cause that is another.
func expectKilled(cause any) {
	if cause != nil && cause != (killed{}) {
		panic(cause)
	}
}
