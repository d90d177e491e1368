package filemap

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"sync"

	"github.com/filemap-go/filemap/internal/kernel"
	"github.com/filemap-go/filemap/object"
)

// Access and Security of package object, under shorter names.
type (
	Access   = object.Access
	Security = object.Security
)

// See [object.Access].
const (
	ReadWrite   = object.ReadWrite
	ReadOnly    = object.ReadOnly
	CopyOnWrite = object.CopyOnWrite
)

// Mapping is a handle to a named range of bytes that processes share. Its
// methods may be called from any goroutine.
//
// A handle that the program no longer refers to, and no [View] of it either, is
// closed by the garbage collector some time later, as an [os.File] is.
type Mapping struct {
	name object.Name

	mu      sync.RWMutex // held for writing by Close
	kernel  *kernel.Mapping
	closed  bool
	cleanup runtime.Cleanup
}

// CreateOptions are the options of [Create]. The zero value stands for the
// defaults.
type CreateOptions struct {
	// Access is the most that views of this handle may have. If it is less than
	// ReadWrite, views of other handles cannot write the mapping either.
	Access Access

	// File is the path of the file that backs the mapping: the mapping's bytes
	// are the file's. "" is for memory. A smaller file grows to the mapping's
	// size, and a missing one is created if a size is given. A size of 0 is the
	// size of the file.
	File string

	// OpenFile is that file, if the caller has opened it already, with the rights
	// that Access needs. The caller keeps it, and may close it when Create has
	// returned. If no path leads to it any more, the mapping cannot have a name.
	OpenFile *os.File

	// Security says which other users may open the mapping. nil admits none; on
	// Windows it admits those that the system's default admits.
	Security *Security

	// Sparse does not reserve the mapping's memory now: the system finds it when
	// it is first accessed. Create is then faster, but an access fails with
	// object.ErrFault (a raw access crashes) if there is no memory left. Windows
	// always reserves.
	Sparse bool

	// Context ends the reserving of memory, which looks at it every 64 MiB, and
	// the wait for another process that is creating or removing an object of
	// the name. Without one Create reserves all of the memory, and waits for two
	// seconds. Progress, unless nil, is called with the bytes reserved so far.
	// Both matter for huge mappings on Linux, where reserving takes about 0.3 s
	// per GiB.
	Context  context.Context
	Progress func(reserved, total int64)

	// Init writes the mapping's first content to a view of all of it, before any
	// other process can open the mapping. The view is closed when Init returns. If
	// Init returns an error or panics, no mapping is created, and Create returns
	// the error; a file keeps what Init wrote, but gets its old size back.
	//
	// Init needs ReadWrite access: without it Create returns fs.ErrInvalid. It
	// cannot open the mapping by its name. On Linux it may be called by a Create
	// that then returns fs.ErrExist because another process was faster, but never
	// with the bytes of that process's mapping.
	Init func(*View) error
}

// OpenOptions are the options of [Open] and [Await]. The zero value stands for
// the defaults.
type OpenOptions struct {
	// Access is the most that views of this handle may have. Use ReadOnly for a
	// mapping that its owner lets this user only read.
	Access Access

	// MinSize is the least size in bytes that the mapping may have. If it is
	// smaller, Open returns object.ErrRange, and Await waits.
	MinSize int64
}

// Create creates a mapping of the given size in bytes, filled with zeros unless
// a file backs it. A mapping with an empty name cannot be opened by others.
//
// Returns fs.ErrExist if a mapping has the name, object.ErrWrongKind if an
// object of another kind has it, fs.ErrPermission if another user's object has
// it, object.ErrNoSpace if there is not enough memory or disk space, and
// fs.ErrInvalid if the name, the size or an option is wrong.
//
// See CreateFileMapping of Win32; on Linux, docs/linux-format.md.
func Create(name string, size int64, opts *CreateOptions) (*Mapping, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, failed("create", name, err)
	}
	m, err := create(parsed, size, opts)
	if err != nil {
		return nil, createFailed(parsed, err)
	}
	return m, nil
}

func create(name object.Name, size int64, opts *CreateOptions) (*Mapping, error) {
	if opts == nil {
		opts = &CreateOptions{}
	}
	spec := kernel.MappingSpec{
		Name: name, Size: size, Access: opts.Access, Security: opts.Security,
		File: opts.File, OpenFile: opts.OpenFile, Sparse: opts.Sparse, Context: opts.Context, Progress: opts.Progress,
	}
	switch {
	case !opts.Access.Known():
		return nil, errAccess
	case opts.File != "" && opts.OpenFile != nil:
		return nil, errTwoFiles
	case size < 0 || size == 0 && opts.File == "" && opts.OpenFile == nil:
		return nil, errSize
	case opts.Init != nil && opts.Access != ReadWrite:
		return nil, errInitAccess
	}
	if opts.Init != nil {
		spec.Init = func(k *kernel.Mapping) error {
			return initialize(&Mapping{name: name, kernel: k}, opts.Init)
		}
	}
	k, err := kernel.CreateMapping(spec)
	if err != nil {
		return nil, err
	}
	return newMapping(name, k), nil
}

// Open opens a mapping that a process has open. It never creates one. While the
// mapping's creator is in [CreateOptions.Init], the mapping does not exist yet, or,
// if a file backs it and on Windows, Open waits for up to two seconds, and then
// returns os.ErrDeadlineExceeded.
//
// Returns fs.ErrNotExist if no object has the name, object.ErrWrongKind if the
// object is not a mapping, fs.ErrPermission if this user may not open it with
// opts.Access, and object.ErrRange if it has fewer bytes than opts.MinSize.
//
// See OpenFileMapping of Win32.
func Open(name string, opts *OpenOptions) (*Mapping, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, failed("open", name, err)
	}
	m, err := open(noContext, parsed, opts)
	if err != nil {
		return nil, failed("open", parsed.String(), err)
	}
	return m, nil
}

// noContext is the context of calls that have none: they wait for another
// process for two seconds.
var noContext context.Context

func open(ctx context.Context, name object.Name, opts *OpenOptions) (*Mapping, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	switch {
	case !opts.Access.Known():
		return nil, errAccess
	case name.IsZero():
		return nil, kernel.ErrNoName
	}
	k, err := kernel.OpenMapping(ctx, name, opts.Access)
	if err != nil {
		return nil, err
	}
	if size := k.Size(); size < opts.MinSize {
		k.Close()
		return nil, tooSmall(size, opts.MinSize)
	}
	return newMapping(name, k), nil
}

// newMapping returns the handle, which closes itself if the caller drops it.
func newMapping(name object.Name, k *kernel.Mapping) *Mapping {
	m := &Mapping{name: name, kernel: k}
	m.cleanup = kernel.CloseDropped(m, name, k.Close)
	return m
}

// openOrCreateAttempts bounds how often a name may vanish and come back
// between our two looks at it.
const openOrCreateAttempts = 1000

// OpenOrCreate opens the mapping of a name, or creates it if there is none,
// and reports which it did. For an existing mapping, size and all options except
// opts.Access are ignored.
//
// Returns the errors of [Open] and [Create], except fs.ErrNotExist and
// fs.ErrExist.
func OpenOrCreate(name string, size int64, opts *CreateOptions) (m *Mapping, created bool, err error) {
	if opts == nil {
		opts = &CreateOptions{}
	}
	parsed, err := object.ParseName(name)
	if err != nil {
		return nil, false, failed("open", name, err)
	}
	for range openOrCreateAttempts {
		m, err = open(opts.Context, parsed, &OpenOptions{Access: opts.Access})
		if err == nil {
			return m, false, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, false, failed("open", parsed.String(), err)
		}
		m, err = create(parsed, size, opts)
		if err == nil {
			return m, true, nil
		} else if !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, false, createFailed(parsed, err)
}

// Unlink removes a POSIX name (one that begins with a slash). Processes that have
// the mapping open keep it. A mapping with a POSIX name stays until its name is
// removed. All other mappings are removed with their last handle, and Unlink
// returns object.ErrInvalidName for their names. Windows has no POSIX names:
// there Unlink returns errors.ErrUnsupported.
func Unlink(name string) error {
	parsed, err := object.ParseName(name)
	if err == nil {
		err = kernel.Unlink(parsed)
	}
	if err != nil {
		return failed("unlink", name, err)
	}
	return nil
}

// NativeName returns what a program that does not use filemap opens for the
// object of a name: on Linux the path of its file, on Windows the NT name. It
// does not check whether there is such an object.
func NativeName(name string) (string, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return "", failed("name", name, err)
	}
	return kernel.NativeName(parsed), nil
}

// Name returns the mapping's name with its prefix, or "".
func (m *Mapping) Name() string { return m.name.String() }

// Size returns the mapping's size in bytes. It is exact, with the exception in
// the package's Windows notes.
func (m *Mapping) Size() int64 { return m.kernel.Size() }

// Access returns the most that views of this handle may have.
func (m *Mapping) Access() Access { return m.kernel.Access() }

// View maps length bytes of the mapping from offset on, with the handle's access.
// The offset may be any. A length of 0 means all bytes to the end.
//
// Returns object.ErrRange if the bytes are not all inside the mapping.
func (m *Mapping) View(offset, length int64) (*View, error) {
	return m.ViewWith(offset, length, nil)
}

// Check checks that the mapping's name still leads to it. On Linux another program
// may have removed its file: a login manager that cleans up after its user
// (RemoveIPC of systemd's logind), a Python older than 3.13, or rm(1). Processes
// that have the mapping open keep it. Check restores the name if it can, for
// which the mapping needs an [Mapping.Alias] that was not removed.
//
// Returns object.ErrNameLost if no process can open the mapping by its name.
func (m *Mapping) Check() error {
	return m.while("check", (*kernel.Mapping).Check)
}

// Alias returns a name for programs that remove the objects that they open, such
// as Python's multiprocessing.shared_memory before Python 3.13. On Linux it is a
// second name of the same bytes, for shm_open(3). The first call creates it, and
// a call that finds it removed creates it again; with FILEMAP_DIR it is a file in
// that directory, which shm_open does not find. On Windows it is the mapping's
// own name.
func (m *Mapping) Alias() (alias string, err error) {
	err = m.while("alias", func(k *kernel.Mapping) (err error) {
		alias, err = k.Alias()
		return err
	})
	return alias, err
}

// Close closes the handle. When the last handle in any process is closed the
// mapping's name is free; views of the mapping stay usable. A second Close
// returns os.ErrClosed.
func (m *Mapping) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return failed("close", m.Name(), os.ErrClosed)
	}
	m.closed = true
	m.cleanup.Stop()
	if err := m.kernel.Close(); err != nil {
		return failed("close", m.Name(), err)
	}
	return nil
}

// while runs f with the kernel's handle, which stays open meanwhile.
func (m *Mapping) while(op string, f func(*kernel.Mapping) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	err := os.ErrClosed
	if !m.closed {
		err = f(m.kernel)
	}
	if err != nil {
		return failed(op, m.Name(), err)
	}
	return nil
}
