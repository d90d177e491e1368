package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// RobustNode is an entry of a robust list: get_robust_list(2). It must lie in
// memory that the garbage collector does not know.
type RobustNode struct {
	Next *RobustNode  // the head's list after the last
	Link **RobustNode // what points here; not for the system
}

// RobustHead is the head of a thread's robust list, under the same rule.
type RobustHead struct {
	First       *RobustNode
	FutexOffset int // from a node to its futex; as wide as a pointer, a long in C
	Pending     *RobustNode
}

// End returns what the last node of a list points to.
func (h *RobustHead) End() *RobustNode { return (*RobustNode)(unsafe.Pointer(&h.First)) }

// SetRobustList has the system look through a list when this thread dies, and
// mark the futexes in it that hold this thread's id. A nil head ends that.
func SetRobustList(head *RobustHead) error {
	_, _, errno := unix.RawSyscall(unix.SYS_SET_ROBUST_LIST,
		uintptr(unsafe.Pointer(head)), unsafe.Sizeof(*head), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// Gettid returns the id of this thread.
func Gettid() int { return unix.Gettid() }

// NewRobustHead returns a head outside Go's memory.
func NewRobustHead(futexOffset int) (*RobustHead, error) {
	page, err := MmapAnonymous(int(unsafe.Sizeof(RobustHead{})))
	if err != nil {
		return nil, err
	}
	head := (*RobustHead)(unsafe.Pointer(&page[0]))
	head.First = head.End()
	head.FutexOffset = futexOffset
	return head, nil
}

// Free gives a head's memory back, after the system has forgotten it.
func (h *RobustHead) Free() {
	_ = unix.MunmapPtr(unsafe.Pointer(h), unsafe.Sizeof(*h))
}

// NodeAt returns the node at an offset of memory that is not Go's.
func NodeAt(data []byte, offset int) *RobustNode {
	return (*RobustNode)(unsafe.Pointer(&data[offset]))
}
