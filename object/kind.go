package object

// Kind says what sort of object a name stands for. Each name stands for one
// object of one kind: mappings, events, semaphores, mutexes, timers and
// jobs share one namespace.
type Kind uint8

// The kinds of named objects. The zero Kind is no kind at all.
const (
	Mapping Kind = 1 + iota
	Event
	Semaphore
	Mutex
	Timer
	// Job is a group of processes. Such an object can be listed, not created or
	// opened: on Windows other programs make them, and their names are taken.
	Job
)

var kindNames = [...]string{"unknown", "mapping", "event", "semaphore", "mutex", "timer", "job"}

// String returns the kind in one lower-case word, such as "mapping".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// Known reports whether k is one of the kinds above.
func (k Kind) Known() bool { return k >= Mapping && k <= Job }
