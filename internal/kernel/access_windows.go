package kernel

import (
	"fmt"
	"strings"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system checks rights when an object is opened, and denies all if one of
// those asked for is not granted. So opening asks for the most, then for less,
// and the handle remembers what it may do: docs/semantics.md has the table.

// syncRights are what opening a synchronization object asks for, in this order:
// each set before its subsets, and waiting before changing before querying.
var syncRights = [...]uint32{
	sys.SYNCHRONIZE | sys.MODIFY_STATE | sys.QUERY_STATE,
	sys.SYNCHRONIZE | sys.MODIFY_STATE,
	sys.SYNCHRONIZE | sys.QUERY_STATE,
	sys.MODIFY_STATE | sys.QUERY_STATE,
	sys.SYNCHRONIZE,
	sys.MODIFY_STATE,
	sys.QUERY_STATE,
}

// jobRights are what opening a job asks for: all sets of its four rights, each
// before its subsets. Nothing waits for a job's handle, which the system signals
// only when the job is terminated.
var jobRights = func() (all []uint32) {
	const most = sys.JOB_OBJECT_TERMINATE | sys.JOB_OBJECT_QUERY |
		sys.JOB_OBJECT_SET_ATTRIBUTES | sys.JOB_OBJECT_ASSIGN_PROCESS
	for rights := uint32(most); rights > 0; rights-- {
		all = append(all, rights)
	}
	return all
}()

// rightsOf are what opening an object of a kind asks for, in this order.
func rightsOf(kind object.Kind) []uint32 {
	if kind == object.Job {
		return jobRights
	}
	return syncRights[:]
}

// rightsMax are the rights that a new object's handle has.
func rightsMax(kind object.Kind) uint32 {
	if kind == object.Mutex {
		return sys.SYNCHRONIZE | sys.QUERY_STATE
	}
	return rightsOf(kind)[0]
}

// openMost opens an object for the most rights that are granted, and returns
// those.
func openMost(
	kind object.Kind, open func(rights uint32) (sys.Handle, error),
) (handle sys.Handle, rights uint32, err error) {
	for _, rights = range rightsOf(kind) {
		if rights&^rightsMax(kind) != 0 {
			continue // the kind has no such right
		}
		handle, err = open(rights)
		if err != sys.ERROR_ACCESS_DENIED {
			return handle, rights, err
		}
	}
	return 0, 0, err
}

// checkRight returns an error if a handle lacks a right.
func checkRight(kind object.Kind, has, needed uint32) error {
	if has&needed != 0 {
		return nil
	}
	var may []string
	for right := uint32(sys.SYNCHRONIZE); right != 0; right >>= 1 {
		if has&right != 0 {
			may = append(may, rightVerb(kind, right))
		}
	}
	return denied("this handle may %s the %v, but not %s it",
		strings.Join(may, " and "), kind, rightVerb(kind, needed))
}

// rightVerb says what a right to an object is for.
func rightVerb(kind object.Kind, right uint32) string {
	switch {
	case kind == object.Job:
		return jobVerb(right)
	case right == sys.QUERY_STATE:
		return "query"
	case right == sys.SYNCHRONIZE && kind == object.Mutex:
		return "lock"
	case right == sys.SYNCHRONIZE:
		return "wait for"
	case kind == object.Semaphore:
		return "release"
	}
	return "set" // or reset, pulse, cancel
}

func jobVerb(right uint32) string {
	switch right {
	case sys.JOB_OBJECT_ASSIGN_PROCESS:
		return "add processes to"
	case sys.JOB_OBJECT_SET_ATTRIBUTES:
		return "limit"
	case sys.JOB_OBJECT_QUERY:
		return "query"
	}
	return "terminate"
}

// denied returns an object.ErrPermission that says what is denied.
func denied(format string, arguments ...any) error {
	return object.Explain(object.ErrPermission,
		object.ErrPermission.Error()+": "+fmt.Sprintf(format, arguments...))
}

// errNoRight: the name exists, and that is all this user may know.
var errNoRight = denied("this user has no right to the object of this name")
