// Package waitable lets processes wait for each other: by named mutexes,
// semaphores, events and timers, as Windows has them, on Windows and on Linux
// alike.
//
// Each object has a name, which any process can open it by, in the one
// namespace that mappings are in too: see package filemap for names and for
// how long objects live. A wait takes a context, and takes the object when it
// is signaled:
//
//	object     is signaled            a wait
//	Mutex      while nobody holds it  locks it
//	Semaphore  while it has permits   takes a permit
//	Event      when it was set        resets it, unless it is a manual-reset event
//	Timer      when it was due        resets it, unless it is a manual-reset timer
//
// The end of its context ends a wait, but never costs it a signal that came
// before: a call whose context has ended takes what is there, and fails only if
// it would have to wait. The error then wraps context.Cause(ctx).
//
// [Any] and [All] wait for several at once, also of different kinds, and [Chan]
// makes a wait a case of a select statement.
//
// All methods may be called from any goroutine. Ten thousand goroutines that
// wait cost some eighty threads on Linux. Errors are of type *object.Error, as
// in package filemap.
//
// # Linux notes
//
// An object is one page of memory in a file of /dev/shm. What can be done at
// once is an atomic instruction on it, without a system call; who must wait
// sleeps in the kernel. docs/linux-format.md has the protocol.
//
// # Windows notes
//
// The objects are the system's own, so that programs in any language open them
// by name. Windows knows threads as owners of mutexes: this package keeps a
// thread for each mutex while it is held. A handle does what the object's owner
// grants this user, such as only to wait for it: other calls return an error
// that is fs.ErrPermission and says what the handle may do.
package waitable
