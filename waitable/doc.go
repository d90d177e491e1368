// Package waitable has the named mutexes, semaphores, events and timers of
// Windows, on Windows and on Linux: processes use them to wait for each other.
//
// A process opens an object by its name. The objects share their namespace with
// mappings: package filemap documents the names, and how long objects live. A
// wait has a context. When the object is signaled, the wait takes it:
//
//	object     is signaled           a wait
//	Mutex      while it is free      locks it
//	Semaphore  while it has permits  takes a permit
//	Event      when it was set       resets it, unless it is a manual-reset event
//	Timer      when it was due       resets it, unless it is a manual-reset timer
//
// The end of its context ends a wait, but a wait never misses a signal that came
// before: a call whose context has ended still takes an object that is signaled.
// Otherwise its error wraps context.Cause(ctx).
//
// [Any] and [All] wait for several objects, of any kinds, and [Chan] is for a
// wait in a select statement.
//
// All methods may be called from any goroutine. On Linux, ten thousand goroutines
// that wait take about eighty threads. Errors are of type *object.Error, as in
// package filemap.
//
// # Linux notes
//
// An object is one page of memory in a file of /dev/shm. An operation that need
// not wait is an atomic instruction, without a system call; a goroutine that
// must wait sleeps in the kernel. docs/linux-format.md has the protocol.
//
// # Windows notes
//
// The objects are the system's own, so programs in any language can open them
// by name. On Windows a thread owns a mutex, so this package keeps a thread for
// each mutex while it is held. If the object's owner grants this user only some
// rights, such as only to wait for it, other calls return an fs.ErrPermission
// that says what the handle may do.
package waitable
