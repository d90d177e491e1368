// Package layout is every byte that filemap shares with other processes: the
// names of its files, their mode bits, the records in them. What it says is
// the contract with programs in other languages; docs/linux-format.md gives it
// in prose.
//
// It reads and writes plain byte slices and touches no system. What it reads
// may be hostile: each field is checked before it is used.
package layout
