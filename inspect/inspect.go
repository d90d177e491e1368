// Package inspect is a read-only view of the named objects on the machine: which
// live, of what kind and size, and who holds them.
//
// On Linux it opens no object, so it keeps none alive. On Windows it has to,
// for an instant: a Create at that instant may still find the name taken.
//
// All functions may be called from any goroutine. What they return was true a
// moment ago. List and Find look at all processes, to see which hold an object, so
// a program that waits for one uses waitable.Name or an Await function instead.
// If ctx ends first, their errors wrap context.Cause(ctx).
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

// Object is a live object, as seen from outside.
type Object struct {
	Name    string   `json:"name"`    // with its prefix
	Kind    string   `json:"kind"`    // as object.Kind prints it, "unknown" too
	Size    int64    `json:"size"`    // of a mapping, in bytes; 0 for other kinds and if Denied
	Native  string   `json:"native"`  // the file's path on Linux, the NT name on Windows
	Holders []Holder `json:"holders"` // those that the system tells of in a moment

	// Denied says that this user may not know the size or the state and, on
	// Linux, the kind.
	Denied bool `json:"denied,omitempty"`

	// State is that of a synchronization object, zero if Denied.
	State State `json:"-"`
}

// State is what can be told of a synchronization object. Which fields mean
// something depends on its kind.
type State struct {
	Signaled   bool          // a wait would take it now
	Manual     bool          // an event or a timer that stays signaled until it is reset
	Count, Max int           // permits of a semaphore
	Owner      int           // process that holds a mutex; 0 for none, or if that is unknown
	Abandoned  bool          // the mutex's last owner died holding it
	Waiters    bool          // somebody may be waiting
	Due        time.Time     // when a timer is due next; zero for never
	Period     time.Duration // of a timer

	// Unknown says which of the fields above the system does not tell: on
	// Windows, Waiters, and of a timer Manual and Period.
	Unknown struct{ Manual, Waiters, Period bool }
}

// Holder is a process that has an object open.
type Holder struct {
	PID int    `json:"pid"`
	Exe string `json:"exe"` // its program's path, or what is known of it; "" for nothing
}

// List returns the live objects whose names match a pattern of path.Match, in
// the order of their names; "" matches all. They are the Global ones and, on
// Linux, this user's Local ones, on Windows those of this session.
//
// In the pattern, as in names, the backslash after Local or Global stands for
// itself, and a pattern without a prefix is for Local names.
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

// Find returns the live object of a name.
//
// Returns an *object.Error that wraps fs.ErrNotExist if there is none.
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

// OtherUser returns another user of the machine who has a live Local object of
// a name. This user's programs never see that object: Local names are one
// user's. On Windows it finds nobody.
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

// Cleaned is what [Clean] gave back.
type Cleaned struct {
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// Clean gives back at once the memory that killed processes left: every use of
// filemap does so now and then. On Windows there is never anything to do.
func Clean() (Cleaned, error) {
	cleaned, err := kernel.Clean()
	if err != nil {
		return Cleaned{}, &object.Error{Op: "clean", Err: err}
	}
	return Cleaned(cleaned), nil
}
