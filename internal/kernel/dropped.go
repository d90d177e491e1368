package kernel

import (
	"runtime"
	"slices"
	"sync"

	"github.com/filemap-go/filemap/object"
)

// dropped holds the names of objects whose handles were dropped without a
// Close, for package filemaptest.
var dropped struct {
	sync.Mutex
	names []string
}

// droppedMax bounds what is remembered in a program that never asks.
const droppedMax = 100

// CloseDropped has a handle closed once nothing refers to its owner any more,
// which closing must not do either. An owner that is closed stops the cleanup
// first.
func CloseDropped[T any](owner *T, name object.Name, closing func() error) runtime.Cleanup {
	return runtime.AddCleanup(owner, func(closing func() error) {
		_ = closing() // there is nobody to tell
		dropped.Lock()
		defer dropped.Unlock()
		if len(dropped.names) < droppedMax {
			dropped.names = append(dropped.names, name.String())
		}
	}, closing)
}

// TakeDropped returns, and forgets, those names of closed handles' objects that
// are wanted.
func TakeDropped(wants func(name string) bool) []string {
	dropped.Lock()
	defer dropped.Unlock()
	var taken []string
	dropped.names = slices.DeleteFunc(dropped.names, func(name string) bool {
		if wants(name) {
			taken = append(taken, name)
			return true
		}
		return false
	})
	return taken
}
