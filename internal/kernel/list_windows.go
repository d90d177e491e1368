package kernel

import (
	"fmt"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// kinds are the kinds of the system's types of objects.
var kinds = map[string]object.Kind{
	"Section":   object.Mapping,
	"Event":     object.Event,
	"Semaphore": object.Semaphore,
	"Mutant":    object.Mutex,
	"Timer":     object.Timer,
}

// List returns those of this session's objects and the Global ones whose names
// are wanted. If there are none, it opens nothing: else, to find who holds them,
// each object that any process has open, for a moment.
func List(wants func(object.Name) bool) ([]Info, error) {
	all, err := listScope(object.Local, wants)
	if err == nil && localDirectory() != globalDirectory {
		var global []Info
		global, err = listScope(object.Global, wants)
		all = append(all, global...)
	}
	if len(all) > 0 {
		findHolders(all)
	}
	return all, err
}

// Find returns the object of a name.
func Find(name object.Name) (Info, error) {
	if name.IsZero() {
		return Info{}, object.ErrInvalidName
	}
	entries, err := readDirectory(directoryOf(name.Scope))
	if err != nil {
		return Info{}, err
	}
	for _, entry := range entries {
		if entry.Name == baseName(name) && kinds[entry.Type].Known() {
			found := []Info{describe(name, kinds[entry.Type])}
			findHolders(found)
			return found[0], nil
		}
	}
	return Info{}, object.ErrNotExist
}

func listScope(scope object.Scope, wants func(object.Name) bool) ([]Info, error) {
	entries, err := readDirectory(directoryOf(scope))
	if err != nil {
		return nil, err
	}
	var all []Info
	for _, entry := range entries {
		name := object.Name{Scope: scope, Base: entry.Name}
		if kind := kinds[entry.Type]; kind.Known() && wants(name) {
			all = append(all, describe(name, kind))
		}
	}
	return all, nil
}

// describe returns what is known of an object. Only an open object tells its
// size or state, so it is open for a moment; one that this user may not read
// has none.
func describe(name object.Name, kind object.Kind) Info {
	info := Info{Name: name, Kind: kind, Native: NativeName(name)}
	if kind != object.Mapping {
		info.State = stateOf(name, kind)
		return info
	}
	section, err := sys.OpenFileMapping(sys.FILE_MAP_READ|sys.SECTION_QUERY, win32Name(name))
	if err == nil {
		info.Size, _ = sys.SectionSize(section)
		sys.CloseHandle(section)
	}
	return info
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
