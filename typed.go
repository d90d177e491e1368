package filemap

import (
	"fmt"
	"io/fs"
	"reflect"
	"sync"

	"github.com/filemap-go/filemap/object"
)

// pointerFree remembers which types hold no pointers: whether reflection has
// found so, by reflect.Type.
var pointerFree sync.Map

// checkType returns an error if values of the type hold Go pointers, which
// mean nothing to another process.
func checkType(t reflect.Type) error {
	known, ok := pointerFree.Load(t)
	if !ok {
		known = !holdsPointers(t)
		pointerFree.Store(t, known)
	}
	if !known.(bool) {
		return object.Explain(fs.ErrInvalid, fmt.Sprintf("values of type %v hold pointers", t))
	}
	return nil
}

func holdsPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && holdsPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer,
		reflect.Slice, reflect.String, reflect.UnsafePointer:
		return true
	}
	return false
}
