package object

// Kind is the kind of an object. Each name is that of one object of one kind:
// mappings, events, semaphores, mutexes, timers and jobs share one namespace.
type Kind uint8

// The kinds of named objects. The zero Kind is not one of them.
const (
	Mapping Kind = 1 + iota
	Event
	Semaphore
	Mutex
	Timer
	Job // a group of processes: see package job
)

var kindNames = [...]string{"unknown", "mapping", "event", "semaphore", "mutex", "timer", "job"}

// String returns the kind in one lower-case word, such as "mapping".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// article returns the kind with its article, such as "an event".
func (k Kind) article() string {
	if k == Event {
		return "an " + k.String()
	}
	return "a " + k.String()
}

// Known reports whether k is one of the kinds above.
func (k Kind) Known() bool { return k >= Mapping && k <= Job }
