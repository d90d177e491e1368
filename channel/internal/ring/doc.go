// Package ring has the algorithms of channels over shared memory, and the layout of
// the words, records, slots and entries that they work on. docs/channel-format.md is
// the contract.
//
//	Ring       records from one sending end to one receiving end: queues and connections
//	Broadcast  records that each of many subscribers reads: topics
//	Slots      versions of a value: registers
//
// It is about memory only: it knows nothing of processes, names, files or waiting. A
// place has a number, and an attempt that is not done says which place is in the
// way. The caller calls Release for a place once its process is dead.
//
// What it reads from the memory it checks, whatever other processes write there.
package ring
