package channel

import (
	"time"

	"github.com/filemap-go/filemap/channel/internal/segment"
)

// How long a wait spins, watching the memory, before it sleeps. A spinning wait
// finds a message within 0.1 us after it is sent, but uses a processor. A sleeping
// wait uses no processor, but takes about 20 to 50 us to wake.
const (
	// SpinAdaptive spins for up to 300 us if that has recently been enough,
	// otherwise for about 1 us. It is the default.
	SpinAdaptive time.Duration = segment.SpinAdaptive
	// SpinNever sleeps at once.
	SpinNever time.Duration = segment.SpinNever
	// SpinAlways spins until the wait ends. It is for programs that have a
	// processor to spare.
	SpinAlways time.Duration = segment.SpinAlways
)
