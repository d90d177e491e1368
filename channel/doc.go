// Package channel sends messages between processes through shared memory, on
// Windows and on Linux alike:
//
//   - [Queue]: each message goes to one receiver. Many may send, many receive.
//   - [Topic]: each subscriber sees every message. A slow one holds the
//     publishers back, or is lapped and told how much it lost.
//   - [Latest]: one value, of which all read the newest.
//   - [Conn] and [Listener]: net.Conn and net.Listener, for net/http, gRPC and
//     all else that runs over a stream.
//
// For example:
//
//	q, _, err := channel.OpenOrCreateQueue(`Local\Jobs`, nil)
//	err = q.Send(ctx, []byte("a message"))
//
// and in another process:
//
//	message, err := q.Receive(ctx, buffer)
//
// A channel has a name as all objects have, see [filemap], and lives, with what
// is in it, as long as some process has it open. Its memory is fixed when it is
// created. No process waits for one that died: see the types for what is lost
// with it.
//
// # Waiting
//
// Who waits watches the memory for a while, and then sleeps. Between two that
// are busy a message takes a fraction of a microsecond and no system call; to be
// woken takes tens of microseconds, and sleeping takes no processor. How long to
// watch is the option Spin: see [SpinAdaptive].
//
// A call whose context has ended takes what is there, a message or room for one,
// and fails only if it would have to wait. The error then wraps
// context.Cause(ctx). The deadlines of a [Conn] are those of package net: one
// that has passed when Read or Write is called ends the call at once.
//
// # Trust
//
// All processes that have a channel open may write to its memory. Whatever they
// write there, calls only fail, most often with object.ErrCorrupt. Who may open
// a channel is the option Security.
//
// # Other languages
//
// docs/channel-format.md describes the memory for programs in other languages.
package channel
