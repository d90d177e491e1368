package kernel

import (
	"context"
	"fmt"
	"strings"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// kinds are the kinds of the system's types of objects. Objects of other types
// are of no kind, but have their names all the same.
var kinds = map[string]object.Kind{
	"Section":   object.Mapping,
	"Event":     object.Event,
	"Semaphore": object.Semaphore,
	"Mutant":    object.Mutex,
	"Timer":     object.Timer,
	"Job":       object.Job,
}

// List returns those of this session's objects and the Global ones whose names
// are wanted. If there are none, it opens nothing: else, to find who holds them,
// each object that any process has open, for a moment.
func List(ctx context.Context, wants func(object.Name) bool) ([]Info, error) {
	all, err := listScope(object.Local, wants)
	if err == nil && localDirectory() != globalDirectory {
		var global []Info
		global, err = listScope(object.Global, wants)
		all = append(all, global...)
	}
	if err == nil && len(all) > 0 {
		err = findHolders(ctx, all)
	}
	return all, err
}

// Find returns the object of a name.
func Find(ctx context.Context, name object.Name) (Info, error) {
	info, err := Look(ctx, name)
	if err != nil {
		return Info{}, err
	}
	found := []Info{info}
	err = findHolders(ctx, found)
	return found[0], err
}

func listScope(scope object.Scope, wants func(object.Name) bool) ([]Info, error) {
	entries, err := readDirectory(directoryOf(scope))
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, entry := range entries {
		name := object.Name{Scope: scope, Base: entry.Name}
		if !wants(name) || strings.HasPrefix(entry.Name, birthPrefix) {
			continue
		}
		if info, ok := describe(name, kinds[entry.Type]); ok {
			all = append(all, info)
		}
	}
	return all, nil
}

// describe returns what is known of an object, or false if it is gone. Only an
// open object tells its size or state, so it is open for a moment.
func describe(name object.Name, kind object.Kind) (Info, bool) {
	info := Info{Name: name, UID: -1, Kind: kind, Native: NativeName(name)}
	var err error
	switch kind {
	case object.Mapping:
		info.Size, err = sizeOf(name)
	case object.Event, object.Semaphore, object.Mutex, object.Timer:
		info.State, err = stateOf(name, kind)
	}
	if err != nil {
		info.Size, info.State, info.Denied = 0, State{}, true
	}
	return info, err != sys.ERROR_FILE_NOT_FOUND && err != sys.ERROR_INVALID_HANDLE
}

// sizeOf returns the size of the section of a name: it tells those that may
// query it, and shows those that may read it.
func sizeOf(name object.Name) (int64, error) {
	section, err := sys.OpenSection(sys.SECTION_QUERY, NativeName(name))
	if err == nil {
		defer sys.CloseHandle(section)
		return sys.SectionSize(section)
	}
	section, err = sys.OpenFileMapping(sys.FILE_MAP_READ, win32Name(name))
	if err != nil {
		return 0, err
	}
	defer sys.CloseHandle(section)
	return viewSize(section)
}

// directoryBuffer holds the longest name there can be, or hundreds of usual ones.
const directoryBuffer = 128 << 10

// readDirectory returns what is in one of the system's directories of objects.
func readDirectory(path string) ([]sys.DirectoryEntry, error) {
	directory, err := sys.OpenDirectoryObject(path)
	if err != nil {
		return nil, fmt.Errorf("the directory %s: %w", path, err)
	}
	defer sys.CloseHandle(directory)
	var all []sys.DirectoryEntry
	var position uint32
	buffer := make([]byte, directoryBuffer)
	single := false
	for {
		entries, err := sys.QueryDirectoryObject(directory, buffer, single, &position)
		all = append(all, entries...)
		switch {
		case err == sys.STATUS_NOT_IMPLEMENTED && !single:
			single = true // Wine 8 gives one at a time, Windows all in one walk
		case err == sys.STATUS_NO_MORE_ENTRIES, err == nil && !single:
			return all, nil
		case err != nil && err != sys.STATUS_MORE_ENTRIES:
			return nil, fmt.Errorf("the directory %s: %w", path, err)
		}
	}
}
