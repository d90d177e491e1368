package kernel

import (
	"context"
	"slices"

	"github.com/filemap-go/filemap/internal/sys"
)

// findHolders fills in which processes hold the objects, as far as this user
// may look into processes.
//
// The system lists the handles of all processes, but of what they lead to only
// the address, and that, in newer versions, to debuggers alone. So each handle
// of the right type is duplicated for a moment, and asked for its object's name.
func findHolders(ctx context.Context, infos []Info) error {
	s := scan{
		objects:   make(map[string]*Info, len(infos)),
		types:     make(map[uint16]bool),
		processes: make(map[uintptr]sys.Handle),
		buffer:    make([]byte, 128<<10), // more than the longest name
	}
	for i := range infos {
		s.objects[infos[i].Native] = &infos[i]
	}
	defer s.close()
	for _, handle := range allHandles() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.look(handle)
	}
	return nil
}

// handlesAttempts bounds how often the handles grow in number beyond the room
// just made for them.
const handlesAttempts = 10

// allHandles returns the handles of all processes, or nil: some sandboxes do
// not let their processes see them.
func allHandles() []sys.ProcessHandle {
	buffer := make([]byte, 1<<20)
	for range handlesAttempts {
		handles, err := sys.ProcessHandles(buffer)
		if err != sys.STATUS_INFO_LENGTH_MISMATCH {
			return handles
		}
		buffer = make([]byte, 2*len(buffer))
	}
	return nil
}

// scan is one look at all handles.
type scan struct {
	objects   map[string]*Info       // by NT name
	types     map[uint16]bool        // whether the index is of a type in kinds
	processes map[uintptr]sys.Handle // open ones; 0 if that is denied
	buffer    []byte
}

func (s *scan) look(handle sys.ProcessHandle) {
	wanted, known := s.types[handle.Type]
	if known && !wanted {
		return
	}
	own, err := sys.DuplicateHandle(s.process(handle.PID), sys.Handle(handle.Handle))
	if err != nil {
		return
	}
	defer sys.CloseHandle(own)
	if !known {
		name, err := sys.ObjectType(own, s.buffer)
		if err != nil {
			return
		}
		wanted = kinds[name].Known()
		s.types[handle.Type] = wanted
	}
	if !wanted {
		return // asking some files for their names would block
	}
	name, err := sys.ObjectName(own, s.buffer)
	info := s.objects[name]
	if err == nil && info != nil && !slices.Contains(info.Holders, int(handle.PID)) {
		info.Holders = append(info.Holders, int(handle.PID))
	}
}

// process opens a process, once.
func (s *scan) process(pid uintptr) sys.Handle {
	process, known := s.processes[pid]
	if !known {
		process, _ = sys.OpenProcess(sys.PROCESS_DUP_HANDLE, int(pid))
		s.processes[pid] = process
	}
	return process
}

func (s *scan) close() {
	for _, process := range s.processes {
		if process != 0 {
			sys.CloseHandle(process)
		}
	}
}

// Executable returns the path of a process's program, or "" where this user
// may not see it.
func Executable(pid int) string {
	process, err := sys.OpenProcess(sys.PROCESS_QUERY_LIMITED_INFORMATION, pid)
	if err != nil {
		return ""
	}
	defer sys.CloseHandle(process)
	path, _ := sys.ImageName(process)
	return path
}
