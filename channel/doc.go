// Package channel sends messages between processes through shared memory, on
// Windows and on Linux:
//
//   - [Queue]: each message goes to one receiver. There may be any number of
//     senders and receivers. A worker that must not lose its job by dying takes it
//     in hand: see [Queue.Take].
//   - [Topic]: each subscriber receives every message. If a subscriber is slow,
//     publishers wait for it, or overwrite messages and it learns how many it
//     lost.
//   - [Latest]: a register for one value. Readers read the newest value.
//   - [Conn] and [Listener]: net.Conn and net.Listener, for net/http, gRPC and
//     other programs that use streams.
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
// Messages are bytes. [TypedQueue], [TypedTopic] and [TypedLatest] are for messages
// that are values of a Go type without pointers.
//
// A channel has a name as all objects do, see [filemap]. The channel and its
// messages live as long as a process has the channel open. The size of its
// memory is fixed when it is created. If a process dies, the other processes do
// not wait for it; the types say which messages are lost.
//
// # Without copies
//
// Send, Receive and their like copy a message once. Large messages and values can be
// written and read in place, in the shared memory: Reserve returns room for the next
// one, and Next leases one until Release. What others do meanwhile differs:
//
//   - A lease of a [Queue] keeps other receivers from receiving.
//   - A lease of a [Subscription] holds the room of its message, or is overwritten: see
//     [TopicLease].
//   - A lease of a [Latest] holds up nobody. There is a limit on how many there are.
//
// If a process dies, what it has reserved or leased is given back.
//
// # Waiting
//
// A call that waits first spins: it watches the memory for a while. Then it
// sleeps. While both sides are busy a message takes a fraction of a microsecond
// and no system call. Waking a sleeping process takes tens of microseconds, but
// a sleeping process takes no processor time. The option Spin says how long to
// spin: see [SpinAdaptive].
//
// A call whose context has ended still succeeds if there is a message, or room
// for one. Otherwise its error wraps context.Cause(ctx). The deadlines of a
// [Conn] are those of package net: if a deadline has passed when Read or Write is
// called, the call fails at once.
//
// To wait for several channels, or for a channel together with locks, events and
// jobs, give what their methods Ready return to [waitable.Any]: see [Queue.Ready].
//
// # Trust
//
// All processes that have a channel open can write to its memory. Whatever they
// write there, the worst is that calls fail, usually with object.ErrCorrupt. The
// option Security says which users may open a channel.
//
// # Other languages
//
// docs/channel-format.md describes the memory for programs in other languages.
package channel
