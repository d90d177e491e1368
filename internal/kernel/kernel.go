// Package kernel is the contract that filemap is built on: a kernel with named
// objects. On Windows the system is that kernel, and this package calls it; on
// Linux it is an adapter to package objmgr. Everything above is written once.
//
// Each system's files define the same types and functions; the interfaces here
// say what they do. All of it may be used from any goroutine, except that no
// other call may use a handle while it is closed.
package kernel

import (
	"context"
	"os"
	"os/exec"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/object"
)

// MappingSpec says how a new mapping is to be.
type MappingSpec struct {
	Name     object.Name // zero for an unnamed mapping
	Size     int64       // 0: that of the file
	Access   object.Access
	Security *object.Security // nil for the system's default

	// File is the path of the file that backs the mapping, "" for memory. It
	// grows to Size if need be, and is made if Size is not 0.
	File string
	// OpenFile is that file, if it is open already; it stays the caller's.
	OpenFile *os.File

	Sparse   bool // do not reserve the space
	Context  context.Context
	Progress func(reserved, total int64) // may be nil

	// Init, if there is one, is called with the new mapping, which nobody else can
	// open yet. An error, or a panic, undoes the creation. The handle is Init's
	// until Init returns, and not to be closed.
	Init func(*Mapping) error
}

// ViewSpec says which part of a mapping to map, and how.
type ViewSpec struct {
	Offset, Length int64 // checked by the caller against the mapping's size
	Access         object.Access
	Base           uintptr // where the first byte is to lie; 0 for anywhere
	Prefault       bool
}

// Granularity is what the address of a view at a chosen base, and its offset
// then, are multiples of, on both systems.
const Granularity = 64 << 10

// mapping is what each system's Mapping does.
type mapping interface {
	// Size returns the number of bytes.
	Size() int64
	// Access returns what views may do at most.
	Access() object.Access
	// Map maps a view.
	Map(ViewSpec) (*mem.Region, error)
	// Check returns object.ErrNameLost if the name no longer leads here.
	Check() error
	// Alias returns a name that programs may remove without harm.
	Alias() (string, error)
	// Export returns an open file that is a handle to the mapping by itself, for
	// views of an access. The object lives while it is open, in whatever process.
	Export(object.Access) (*os.File, error)
	// Close gives the handle up; views go on.
	Close() error
}

var _ mapping = (*Mapping)(nil)

// ErrNoName is an [object.ErrInvalidName]: only a name leads to an object.
var ErrNoName = object.Explain(object.ErrInvalidName, "invalid name: it is empty")

// Info is what can be told of a live object from outside.
type Info struct {
	Name   object.Name
	UID    int         // of the user that made it; -1 where the system does not tell
	Kind   object.Kind // zero if this user may not know, or filemap has no such kind
	Size   int64       // of a mapping
	Native string      // what a foreign program opens: a path, or an NT name

	State State // of synchronization objects

	// Denied says that this user may not know the size or the state: they are
	// zero then.
	Denied bool

	// Holders are the processes that hold the object, as far as this process
	// can see them; nil where the system does not tell, and from Look.
	Holders []int
}

// Cleaned is what cleaning gave back.
type Cleaned struct {
	Objects int
	Bytes   int64
}

// The functions that each system's files define:
//
//	CreateMapping(MappingSpec) (*Mapping, error)            object.ErrExist if the name exists
//	OpenMapping(context.Context, object.Name, object.Access) (*Mapping, error)   nil for none
//	ReceiveMapping(*os.File, object.Access) (*Mapping, object.Name, error)       of what Export returned
//	Watch(object.Name) (changed <-chan struct{}, stop func(), err error)
//	Exists(context.Context, object.Name) (bool, error)      for waits: a look that costs little
//	Look(context.Context, object.Name) (Info, error)        without Holders, which cost much
//	LockedBy(context.Context, object.Name, pid int) (Info, bool, error)   what Look returns of a mutex, and
//	                                                        whether the system says that a process has it locked
//	Find(context.Context, object.Name) (Info, error)        object.ErrNotExist if nobody holds it
//	List(context.Context, func(object.Name) bool) ([]Info, error)   of the names it wants, not POSIX
//	OtherUser(context.Context, object.Name) (uid uint32, found bool) with a Local object of it
//	Clean() (Cleaned, error)
//	NativeName(object.Name) string
//	Unlink(object.Name) error                               for POSIX names
//	Executable(pid int) string                              "" if unknown
//	Process(pid int) (parent int, command string, ok bool)  0 and "" if unknown; not ok if it has ended
//	Inherit(*exec.Cmd, *os.File) (ref string, err error)    what the child calls the file
//	OpenPassed(ref string) (*os.File, error)                once for each ref
//	Duplicate(*os.File, *os.Process) (ref string, err error)
var _ = [...]any{
	(func(MappingSpec) (*Mapping, error))(CreateMapping),
	(func(context.Context, object.Name, object.Access) (*Mapping, error))(OpenMapping),
	(func(*os.File, object.Access) (*Mapping, object.Name, error))(ReceiveMapping),
	(func(object.Name) (<-chan struct{}, func(), error))(Watch),
	(func(context.Context, object.Name) (bool, error))(Exists),
	(func(context.Context, object.Name) (Info, error))(Look),
	(func(context.Context, object.Name, int) (Info, bool, error))(LockedBy),
	(func(context.Context, object.Name) (Info, error))(Find),
	(func(context.Context, func(object.Name) bool) ([]Info, error))(List),
	(func(context.Context, object.Name) (uint32, bool))(OtherUser),
	(func() (Cleaned, error))(Clean),
	(func(object.Name) string)(NativeName),
	(func(object.Name) error)(Unlink),
	(func(int) string)(Executable),
	(func(int) (int, string, bool))(Process),
	(func(*exec.Cmd, *os.File) (string, error))(Inherit),
	(func(string) (*os.File, error))(OpenPassed),
	(func(*os.File, *os.Process) (string, error))(Duplicate),
}
