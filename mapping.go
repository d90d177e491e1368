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

// What may be done with a mapping's bytes, and who besides its creator may do
// so: the types of package object under names that are shorter here.
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
	// Access is what this handle's views may do at most. In a mapping that is
	// created for less than ReadWrite, nobody else's views may write either.
	Access Access

	// File is the path of a file whose bytes the mapping's are; "" is for
	// memory. The file grows to the mapping's size if it is smaller, and is
	// made if it is missing and a size is given. A size of 0 stands for the
	// file's.
	File string

	// OpenFile is that file, if it is open already, for what Access says. It stays
	// the caller's, who may close it once Create has returned. If no path leads to
	// it any more, the mapping can't have a name.
	OpenFile *os.File

	// Security says who else may open the mapping; nil is for nobody, on
	// Windows for whom the system's default admits.
	Security *Security

	// Sparse leaves the mapping's memory to be found when it is first touched,
	// instead of reserving it now. Creating is faster then, but a touch fails
	// with object.ErrFault (by raw access: crashes) when there is no memory
	// left. Windows always reserves.
	Sparse bool

	// Context ends the reserving of memory after a step of 64 MiB, and the wait
	// for another process that is creating or removing an object of the name;
	// nil is for never, and for two seconds. Progress, unless nil, is called as
	// the reserving goes on, with bytes. Both matter for huge mappings on Linux,
	// which takes about 0.3 s a GiB.
	Context  context.Context
	Progress func(reserved, total int64)
}

// OpenOptions are the options of [Open] and [Await]. The zero value stands for
// the defaults.
type OpenOptions struct {
	// Access is what this handle's views may do at most. Ask for ReadOnly to
	// open a mapping that its owner lets this user only read.
	Access Access
}

// Create makes a mapping of the given size in bytes, filled with zeros unless
// a file backs it. An empty name makes one that nobody else can open.
//
// Returns fs.ErrExist if a mapping has the name, object.ErrWrongKind if
// another object has it, fs.ErrPermission if it is another user's,
// object.ErrNoSpace if there is no memory, or no room on the disk, and
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
		return nil, failed("create", parsed.String(), err)
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
	}
	k, err := kernel.CreateMapping(spec)
	if err != nil {
		return nil, err
	}
	return newMapping(name, k), nil
}

// Open opens a mapping that some process holds. It never creates one.
//
// Returns fs.ErrNotExist if no object has the name, object.ErrWrongKind if it
// is no mapping, and fs.ErrPermission if this user may not open it for
// opts.Access.
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
	return newMapping(name, k), nil
}

// newMapping returns the handle, which closes itself if the caller drops it.
func newMapping(name object.Name, k *kernel.Mapping) *Mapping {
	m := &Mapping{name: name, kernel: k}
	m.cleanup = kernel.CloseDropped(m, m.Name(), k.Close)
	return m
}

// openOrCreateAttempts bounds how often a name may vanish and come back
// between our two looks at it.
const openOrCreateAttempts = 1000

// OpenOrCreate opens the mapping of a name, or creates it if there is none,
// and reports which. An existing mapping keeps its size and all else that opts
// would give a new one but opts.Access.
//
// Returns the errors of [Open] and [Create] but for fs.ErrNotExist and
// fs.ErrExist.
func OpenOrCreate(name string, size int64, opts *CreateOptions) (m *Mapping, created bool, err error) {
	var access Access
	if opts != nil {
		access = opts.Access
	}
	for range openOrCreateAttempts {
		m, err = Open(name, &OpenOptions{Access: access})
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return m, false, err
		}
		m, err = Create(name, size, opts)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return m, err == nil, err
		}
	}
	return nil, false, err
}

// Unlink takes a POSIX name (one that begins with a slash) away from its
// mapping, which lives on for those who have it open. Such mappings stay until
// somebody does so; all others go with their last handle, and asking for one
// of them is an error. Windows has no POSIX names: errors.ErrUnsupported.
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

// NativeName returns what a program without filemap opens to meet the object
// of a name: on Linux the path of its file, on Windows the NT name. It does
// not look whether there is one.
func NativeName(name string) (string, error) {
	parsed, err := object.ParseName(name)
	if err != nil {
		return "", failed("name", name, err)
	}
	return kernel.NativeName(parsed), nil
}

// Name returns the mapping's name with its prefix, or "".
func (m *Mapping) Name() string { return m.name.String() }

// Size returns the mapping's size in bytes. It is exact, but see the package's
// Windows notes.
func (m *Mapping) Size() int64 { return m.kernel.Size() }

// Access returns what views of this handle may do at most.
func (m *Mapping) Access() Access { return m.kernel.Access() }

// View maps length bytes of the mapping from offset on, for what the handle
// was opened for. Any offset will do. A length of 0 means all to the end.
//
// Returns object.ErrRange if the mapping does not hold all of those bytes.
func (m *Mapping) View(offset, length int64) (*View, error) {
	return m.ViewWith(offset, length, nil)
}

// Check looks whether the mapping's name still leads to it. On Linux it may
// not: a login manager that cleans up after its user (RemoveIPC of systemd's
// logind), a Python older than 3.13 or a hand can remove any file in /dev/shm.
// The mapping lives on for those who hold it, and the name is given back if
// that is still possible, which takes an [Mapping.Alias] that was left alone.
//
// Returns object.ErrNameLost if nobody can open the mapping by its name.
func (m *Mapping) Check() error {
	return m.while("check", (*kernel.Mapping).Check)
}

// Alias returns a name for programs that remove what they attach to, such as
// Python's multiprocessing.shared_memory before Python 3.13. On Linux it is a
// second name for shm_open(3) of the same bytes, made by the first call and
// again by one that finds it removed; with FILEMAP_DIR, it is a file there, which
// shm_open does not find. On Windows it is the mapping's own name.
func (m *Mapping) Alias() (alias string, err error) {
	err = m.while("alias", func(k *kernel.Mapping) (err error) {
		alias, err = k.Alias()
		return err
	})
	return alias, err
}

// Close gives the handle up. With the last handle in any process the mapping's
// name is free; views of it go on. A second Close returns os.ErrClosed.
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
