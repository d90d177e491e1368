// Package inspect lists the named objects on the machine: which there are, their
// kinds and sizes, and which processes hold them. It changes nothing.
//
// On Linux it opens no object, so it keeps none alive. On Windows it has to open
// them for an instant: a Create at that instant may still find the name taken.
//
// All functions may be called from any goroutine. Their results may be out of
// date by the time they return. List and Find look at all processes, to find the
// holders, so a program that waits for an object uses waitable.Name or an Await
// function instead. If ctx ends first, their errors wrap context.Cause(ctx).
package inspect

import (
	"cmp"
	"context"
	"path"
	"slices"
	"time"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Object describes a live object.
type Object struct {
	Name    string   `json:"name"`    // with its prefix
	Kind    string   `json:"kind"`    // object.Kind's String: "mapping", "event", ..., "unknown"
	Size    int64    `json:"size"`    // of a mapping, in bytes; 0 for other kinds and if Denied
	Native  string   `json:"native"`  // the file's path on Linux, the NT name on Windows
	Holders []Holder `json:"holders"` // those that the system reports quickly

	// Denied says that this user may not read the size or the state and, on
	// Linux, the kind.
	Denied bool `json:"denied,omitempty"`

	// State is the state of a synchronization object; zero if Denied.
	State State `json:"-"`
}

// State is the state of a synchronization object. Its kind decides which fields
// have a meaning.
type State struct {
	Signaled   bool          // a wait would take the object now
	Manual     bool          // an event or a timer that stays signaled until it is reset
	Count, Max int           // permits of a semaphore
	Owner      int           // process that holds a mutex; 0 if none does or it is unknown
	Abandoned  bool          // the mutex's last owner died holding it
	Waiters    bool          // a wait may be in progress
	Due        time.Time     // when a timer is due next; zero for never
	Period     time.Duration // of a timer

	// Unknown says which of the fields above the system does not report: on
	// Windows, Waiters, and for a timer Manual and Period.
	Unknown struct{ Manual, Waiters, Period bool }
}

// Holder is a process that has an object open.
type Holder struct {
	PID int    `json:"pid"`
	Exe string `json:"exe"` // its program's path, or the part of it that is known
}

// List returns the live objects whose names match a pattern of path.Match, in
// the order of their names; "" matches all. It finds Global objects, and the
// Local objects of this user on Linux, or of this session on Windows.
//
// In the pattern, the backslash after Local or Global matches itself. A pattern
// without a prefix matches Local names.
func List(ctx context.Context, pattern string) ([]Object, error) {
	want, err := compile(pattern)
	if err != nil {
		return nil, err
	}
	infos, err := kernel.List(ctx, want.matches)
	if err != nil {
		return nil, &object.Error{Op: "list", Name: pattern, Err: err}
	}
	programs := make(map[int]string)
	objects := []Object{} // not nil: an empty list in JSON too
	for _, info := range infos {
		objects = append(objects, describe(info, programs))
	}
	slices.SortFunc(objects, func(a, b Object) int { return cmp.Compare(a.Name, b.Name) })
	return objects, nil
}

// Find returns the live object of a name. Returns fs.ErrNotExist if there is none.
func Find(ctx context.Context, name string) (Object, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return Object{}, &object.Error{Op: "info", Name: name, Err: err}
	}
	info, err := kernel.Find(ctx, parsed)
	if err != nil {
		return Object{}, &object.Error{Op: "info", Name: parsed.String(), Err: err}
	}
	return describe(info, make(map[int]string)), nil
}

// OtherUser returns another user of the machine that has a live Local object of
// a name. This user's programs never open that object: Local names belong to one
// user. On Windows it finds no other user.
func OtherUser(ctx context.Context, name string) (uid uint32, found bool) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return 0, false
	}
	return kernel.OtherUser(ctx, parsed)
}

func describe(info kernel.Info, programs map[int]string) Object {
	o := Object{
		Name: info.Name.String(), Kind: info.Kind.String(), Size: info.Size,
		Native: info.Native, Holders: []Holder{}, State: State(info.State), Denied: info.Denied,
	}
	slices.Sort(info.Holders)
	for _, pid := range info.Holders {
		exe, ok := programs[pid]
		if !ok {
			exe = kernel.Executable(pid)
			programs[pid] = exe
		}
		o.Holders = append(o.Holders, Holder{pid, exe})
	}
	return o
}

// pattern is a scope and a pattern for base names.
type pattern struct {
	all   bool
	scope object.Scope
	base  string
}

func compile(text string) (pattern, error) {
	if text == "" {
		return pattern{all: true}, nil
	}
	name, err := object.ParseName(text)
	if err == nil {
		_, err = path.Match(name.Base, "")
	}
	if err != nil {
		return pattern{}, &object.Error{Op: "list", Name: text, Err: err}
	}
	return pattern{scope: name.Scope, base: name.Base}, nil
}

func (p pattern) matches(name object.Name) bool {
	if p.all {
		return true
	}
	matched, _ := path.Match(p.base, name.Base)
	return matched && name.Scope == p.scope
}

// Cleaned is the number of dead objects that [Clean] removed, and their size.
type Cleaned struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// Clean frees now the memory that killed processes left. Programs that use filemap
// also do so from time to time. It kills the members of jobs whose holders and guards
// were all killed, and which have a cgroup. On Windows there is nothing to free.
func Clean() (Cleaned, error) {
	cleaned, err := kernel.Clean()
	if err != nil {
		return Cleaned{}, &object.Error{Op: "clean", Err: err}
	}
	return Cleaned(cleaned), nil
}
