package sys

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Rights to events, semaphores and timers; those to mutexes are SYNCHRONIZE
// and QUERY_STATE. Releasing a mutex takes none.
const (
	SYNCHRONIZE  = windows.SYNCHRONIZE
	QUERY_STATE  = 0x1
	MODIFY_STATE = 0x2
)

// ERROR_TOO_MANY_POSTS says that a semaphore would be over its maximum.
const ERROR_TOO_MANY_POSTS = windows.ERROR_TOO_MANY_POSTS

// The functions that create objects open the one that has the name, if there
// is one, and then return both a handle and ERROR_ALREADY_EXISTS. The name ""
// is for none, and a nil descriptor for the system's default.

// CreateEvent creates an event.
func CreateEvent(d *SecurityDescriptor, manual, signaled bool, name string) (Handle, error) {
	text, err := namePointer(name)
	if err != nil {
		return 0, err
	}
	return windows.CreateEvent(attributesOf(d), number(manual), number(signaled), text)
}

// CreateMutex creates a mutex, which the calling thread owns if owned is true. The
// thread does not own a mutex that existed.
func CreateMutex(d *SecurityDescriptor, owned bool, name string) (Handle, error) {
	text, err := namePointer(name)
	if err != nil {
		return 0, err
	}
	return windows.CreateMutex(attributesOf(d), owned, text)
}

// CreateSemaphore creates a semaphore.
func CreateSemaphore(d *SecurityDescriptor, count, limit int32, name string) (Handle, error) {
	text, err := namePointer(name)
	if err != nil {
		return 0, err
	}
	return createSemaphore(attributesOf(d), count, limit, text)
}

// CreateWaitableTimer creates a timer.
func CreateWaitableTimer(d *SecurityDescriptor, manual bool, name string) (Handle, error) {
	text, err := namePointer(name)
	if err != nil {
		return 0, err
	}
	return createWaitableTimer(attributesOf(d), manual, text)
}

// OpenEvent opens the event of a name.
func OpenEvent(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return windows.OpenEvent(access, false, text)
}

// OpenMutex opens the mutex of a name.
func OpenMutex(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return windows.OpenMutex(access, false, text)
}

// OpenSemaphore opens the semaphore of a name.
func OpenSemaphore(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return openSemaphore(access, false, text)
}

// OpenWaitableTimer opens the timer of a name.
func OpenWaitableTimer(access uint32, name string) (Handle, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	return openWaitableTimer(access, false, text)
}

// namePointer returns a name as the system takes it.
func namePointer(name string) (*uint16, error) {
	if name == "" {
		return nil, nil
	}
	return windows.UTF16PtrFromString(name)
}

func attributesOf(d *SecurityDescriptor) *windows.SecurityAttributes {
	if d == nil {
		return nil
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: d}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	return attributes
}

func number(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}

// EventInfo is EVENT_BASIC_INFORMATION.
type EventInfo struct {
	AutoReset int32 // 1 if it is, 0 if not
	State     int32 // not 0 while it is signaled
}

// MutantInfo is MUTANT_BASIC_INFORMATION.
type MutantInfo struct {
	Count     int32 // 1 while nobody owns it
	_         bool  // owned by the calling thread
	Abandoned bool
	_         [2]byte
}

// SemaphoreInfo is SEMAPHORE_BASIC_INFORMATION.
type SemaphoreInfo struct{ Count, Max int32 }

// TimerInfo is TIMER_BASIC_INFORMATION.
type TimerInfo struct {
	Remaining int64 // until it is due, in units of 100 ns
	Signaled  bool
	_         [7]byte
}

// QueryEvent returns the state of an event that was opened for QUERY_STATE.
func QueryEvent(h Handle) (info EventInfo, err error) {
	err = ntQueryEvent(h, 0, &info, uint32(unsafe.Sizeof(info)), nil)
	return info, err
}

// QueryMutex returns the state of a mutex that was opened for QUERY_STATE.
func QueryMutex(h Handle) (info MutantInfo, err error) {
	err = ntQueryMutant(h, 0, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	return info, err
}

// QueryMutexOwner returns the process that owns a mutex, 0 for none.
func QueryMutexOwner(h Handle) (pid int, err error) {
	const owner = 1                            // MutantOwnerInformation
	var info struct{ process, thread uintptr } // CLIENT_ID
	err = ntQueryMutant(h, owner, unsafe.Pointer(&info), uint32(unsafe.Sizeof(info)), nil)
	return int(info.process), err
}

// QuerySemaphore returns the state of a semaphore that was opened for
// QUERY_STATE.
func QuerySemaphore(h Handle) (info SemaphoreInfo, err error) {
	err = ntQuerySemaphore(h, 0, &info, uint32(unsafe.Sizeof(info)), nil)
	return info, err
}

// QueryTimer returns the state of a timer that was opened for QUERY_STATE.
func QueryTimer(h Handle) (info TimerInfo, err error) {
	err = ntQueryTimer(h, 0, &info, uint32(unsafe.Sizeof(info)), nil)
	return info, err
}
