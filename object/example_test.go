package object_test

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/filemap-go/filemap/object"
)

func ExampleParseName() {
	for _, text := range []string{`Local\Map`, `Map`, `Global\Map`, `local\Map`, `Local\a\b`, ``} {
		name, err := object.ParseName(text)
		fmt.Printf("%q: %q, %v\n", text, name, err)
	}
	// Output:
	// "Local\\Map": "Local\\Map", <nil>
	// "Map": "Local\\Map", <nil>
	// "Global\\Map": "Global\\Map", <nil>
	// "local\\Map": "", invalid name: local\ is not a prefix: Local\ and Global\ are
	// "Local\\a\\b": "", invalid name: it has a backslash after its prefix
	// "": "", <nil>
}

func ExampleName() {
	name, err := object.ParseName("Map")
	fmt.Println(name.Base, name.Scope == object.Local, name.IsZero(), err)
	posix, err := object.ParseName("/map")
	fmt.Println(posix.Base, posix.Scope == object.POSIX, err)
	fmt.Println(object.Name{Scope: object.Global, Base: "Map"})
	// Output:
	// Map true false <nil>
	// map true <nil>
	// Global\Map
}

func ExampleError() {
	var err error = &object.Error{
		Op: "open", Kind: object.Mapping, Name: `Local\Map`, Err: object.ErrNotExist,
	}
	fmt.Println(err)
	fmt.Println(errors.Is(err, object.ErrNotExist), errors.Is(err, fs.ErrNotExist))
	// Output:
	// open Local\Map: no such name
	// true true
}

func ExampleWrongKind() {
	err := object.WrongKind(object.Mutex, object.Event)
	fmt.Println(err)
	fmt.Println(errors.Is(err, object.ErrWrongKind))
	fmt.Println(object.WrongKind(0, object.Event))
	// Output:
	// it is a mutex, not an event
	// true
	// the name is an object of another kind
}

func ExampleExplain() {
	err := object.Explain(object.ErrNoSpace, "three more bytes are needed")
	fmt.Println(err)
	fmt.Println(errors.Is(err, object.ErrNoSpace))
	// Output:
	// three more bytes are needed
	// true
}

func ExampleAccess_Permits() {
	fmt.Println(object.ReadWrite, "handle, read-only view:", object.ReadWrite.Permits(object.ReadOnly))
	fmt.Println(object.ReadOnly, "handle, private view:", object.ReadOnly.Permits(object.CopyOnWrite))
	fmt.Println(object.ReadOnly, "handle, read-write view:", object.ReadOnly.Permits(object.ReadWrite))
	fmt.Println(object.Access(9).Known())
	// Output:
	// read-write handle, read-only view: true
	// read-only handle, private view: true
	// read-only handle, read-write view: false
	// false
}

func ExampleKind() {
	fmt.Println(object.Mapping, object.Kind(0), object.Kind(0).Known())
	// Output: mapping unknown false
}

// The group may do all, everybody else read.
func ExampleSecurity() {
	shared := object.Security{Group: object.ShareAll, Everybody: object.ShareRead}
	fmt.Println(shared.Everybody == object.ShareNone)
	// Output: false
}
