// Package filemap shares memory between processes by name, as Windows' named
// file mappings do, on Windows and on Linux alike.
//
// One process creates a [Mapping] and maps a [View] of it; any other that
// knows the name opens the mapping, maps a view, and sees the same bytes:
//
//	m, err := filemap.Create(`Local\SampleMap`, 64<<10, nil)
//	v, err := m.View(0, 1024)
//	_, err = v.WriteAt([]byte("hello"), 0)
//
// A mapping lives as long as some process holds a handle to it, however that
// process ends; then its name is free and its memory goes back. A view keeps
// the memory, but not the name.
//
// Names are those of Windows: Local\X is shared by the processes of one user,
// Global\X by all, and X alone means Local\X. [object.ParseName] has the rules.
// Mappings share their namespace with the synchronization objects of package
// waitable: a name is one object of one kind.
//
// # Linux notes
//
// A mapping is a file in /dev/shm that holds the mapping's bytes and nothing
// else, so programs in any language can map it; [NativeName] tells its path.
// The environment variable FILEMAP_DIR chooses another directory, on tmpfs,
// ext4, xfs or btrfs, and so a namespace apart. A name that begins with a
// slash is one of shm_open(3), always in /dev/shm, shared with programs that know
// nothing of filemap; such an object stays until it is unlinked.
//
// # Windows notes
//
// A mapping is the system's own section object, so that programs in any
// language open it by its name. The system rounds the size of a mapping backed
// by memory up to whole pages for all but its creator.
//
// # Errors
//
// Errors are of type [*object.Error], which names the operation and the
// object. Their causes answer to errors.Is: fs.ErrNotExist, fs.ErrExist,
// fs.ErrPermission, fs.ErrInvalid, os.ErrClosed, and those that package object
// defines. A call whose context has ended takes what is there, and fails with
// context.Cause(ctx) only if it would have to wait. Nothing in this package panics on what another process did.
package filemap
