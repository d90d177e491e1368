// Package segment has a channel's memory as a whole, and the handles that take part.
// docs/channel-format.md is the contract.
//
//	Segment   the mapping, its preamble, and what else has the channel's name
//	Member    the place of a handle, and the mutex that tells whether it lives
//	Peers     the other places: waits for them, and frees what a dead one had
//	Bell      wakes a process that sleeps at one end of a ring
//	Patience  one wait: it spins for a while, then sleeps
//
// It does not know what a message is, and what a place has in a ring is for package
// ring to free: see [Peers.Start].
package segment
