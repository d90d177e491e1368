package filemaptest_test

import (
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
)

func ExampleNew() {
	test := func(t *testing.T) { // in your code: func TestCounter(t *testing.T) {
		ns := filemaptest.New(t)
		m, err := filemap.Create(ns.Name(`Local\Counter`), 4096, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close() // without this the test fails: the mapping is still held
		// Processes that are started here, and are told the name, open it too.
	}
	_ = test
}

// TestCounter is a test with a namespace of its own.
func TestCounter(t *testing.T) {
	ns := filemaptest.New(t)
	if ns.Name("Counter") == filemaptest.New(t).Name("Counter") {
		t.Error("two namespaces have the same name")
	}
	for _, base := range []string{`Local\Counter`, `Global\Counter`, "Counter 2"} {
		m, err := filemap.Create(ns.Name(base), 4096, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
	}
}
