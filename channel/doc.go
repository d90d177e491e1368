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
// What they guarantee, and what they wait for:
//
//	                  which process gets it   delivery
//	Queue.Receive     one receiver            at most once
//	Queue.Take        one taker               at least once: until Done
//	Topic, Block      every subscriber        at most once, without gaps
//	Topic, Overwrite  every subscriber        at most once, gaps are counted
//	Latest            every reader            the newest value; older ones are skipped
//	Conn              the other side          a stream: in order, without gaps
//
//	                  lost if the sender dies   lost if the receiver dies
//	Queue.Receive     what it is sending        what Receive has returned
//	Queue.Take        what it is sending        nothing: another taker gets it
//	Topic, Block      what it is publishing     what that subscriber has not received
//	Topic, Overwrite  what it is publishing     what that subscriber has not received
//	Latest            what it is writing        nothing
//	Conn              what Write has not taken  what it has not read
//
//	                  the sender waits for      the receiver waits for
//	Queue.Receive     room, if it has Block     a message
//	Queue.Take        room, if it has Block     a message
//	Topic, Block      the slowest subscriber    a message
//	Topic, Overwrite  no subscriber             a message
//	Latest            no reader                 a newer value, in Wait
//	Conn              room                      a byte
//
//	                  lives while
//	Queue             a process has it open, even without receivers
//	Topic             a process has it open, or a subscription of it
//	Latest            a process has it open
//	Conn              one side has it open: what was written can still be read
//
// Besides, senders of a channel wait for each other's copies, but not for those of
// a process that died. When the last process closes a channel or dies, the messages
// in it are lost: see [Queue.Flush].
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
