// Package filemap shares memory between processes by name, as Windows' named
// file mappings do, on Windows and on Linux.
//
// One process creates a [Mapping] and maps a [View] of it. Any other process
// that knows the name opens the mapping, maps a view, and sees the same bytes:
//
//	m, err := filemap.Create(`Local\SampleMap`, 64<<10, nil)
//	v, err := m.View(0, 1024)
//	_, err = v.WriteAt([]byte("hello"), 0)
//
// A mapping lives as long as a process holds a handle to it. When the last
// process that holds one closes it or ends, however it ends, the name is free
// and the system gets the memory back. A view keeps the memory, but not the
// name.
//
// Names are those of Windows: Local\X is shared by the processes of one user,
// Global\X by all processes, and X alone means Local\X. [object.ParseName] has
// the rules. Mappings share their namespace with the synchronization objects of
// package waitable: a name is that of one object of one kind.
//
// # Linux notes
//
// A mapping is a file in /dev/shm that holds the mapping's bytes and nothing
// else, so programs in any language can map it; [NativeName] tells its path.
// The environment variable FILEMAP_DIR chooses another directory, on tmpfs,
// ext4, xfs or btrfs, and so a namespace of its own. A name that begins with a
// slash is one of shm_open(3). It is always in /dev/shm, and is shared with
// programs that do not use filemap; such an object stays until it is unlinked.
//
// # Windows notes
//
// A mapping is the system's own section object, so programs in any language
// can open it by its name. The system rounds the size of a mapping backed by
// memory up to whole pages, except in its creator.
//
// # Errors
//
// Errors are of type [*object.Error], which names the operation and the
// object. errors.Is finds their causes: fs.ErrNotExist, fs.ErrExist,
// fs.ErrPermission, fs.ErrInvalid, os.ErrClosed, and the errors of package
// object. A call whose context has ended still succeeds if it can do so without
// waiting; otherwise it fails with context.Cause(ctx). Nothing that another
// process does makes this package panic.
package filemap
