package object

// Kind says what sort of object a name stands for. Each name stands for one
// object of one kind: mappings, events, semaphores, mutexes and timers share
// one namespace.
type Kind uint8

// The kinds of named objects. The zero Kind is no kind at all.
const (
	Mapping Kind = 1 + iota
	Event
	Semaphore
	Mutex
	Timer
)

var kindNames = [...]string{"unknown", "mapping", "event", "semaphore", "mutex", "timer"}

// String returns the kind in one lower-case word, such as "mapping".
func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return kindNames[0]
	}
	return kindNames[k]
}

// Known reports whether k is one of the kinds above.
func (k Kind) Known() bool { return k >= Mapping && k <= Timer }
