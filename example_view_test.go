package filemap_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// newMapping creates a mapping for an example, of 128 KiB without a name.
func newMapping() *filemap.Mapping {
	m, err := filemap.Create("", 128<<10, nil)
	check(err)
	return m
}

// newView maps all of such a mapping. The view goes on without its handle.
func newView() *filemap.View {
	m := newMapping()
	defer m.Close()
	v, err := m.View(0, 0)
	check(err)
	return v
}

func ExampleMapping_View() {
	m := newMapping()
	defer m.Close()
	part, err := m.View(70_001, 10) // any offset and length
	check(err)
	defer part.Close()
	rest, err := m.View(70_000, 0) // all to the end
	check(err)
	defer rest.Close()

	_, err = part.WriteAt([]byte("here"), 0)
	check(err)
	text := make([]byte, 4)
	_, err = rest.ReadAt(text, 1)
	check(err)
	fmt.Printf("%d bytes at %d: %s\n", part.Len(), part.Offset(), text)
	fmt.Printf("%d bytes at %d\n", rest.Len(), rest.Offset())
	// Output:
	// 10 bytes at 70001: here
	// 61072 bytes at 70000
}

func ExampleMapping_ViewWith() {
	m := newMapping()
	defer m.Close()
	access := filemap.CopyOnWrite
	private, err := m.ViewWith(0, 0, &filemap.ViewOptions{Access: &access})
	check(err)
	defer private.Close()
	access = filemap.ReadOnly
	shared, err := m.ViewWith(0, 0, &filemap.ViewOptions{Access: &access, Prefault: true})
	check(err)
	defer shared.Close()

	_, err = private.WriteAt([]byte{1}, 0)
	fmt.Println(private.Access(), err)
	_, err = shared.WriteAt([]byte{1}, 0)
	fmt.Println(shared.Access(), errors.Is(err, fs.ErrPermission))
	first, err := filemap.Load[byte](shared, 0)
	fmt.Println(first, err)
	// Output:
	// copy-on-write <nil>
	// read-only true
	// 0 <nil>
}

// A program that keeps addresses in the shared bytes needs each view at the
// same one.
func ExampleMapping_ViewWith_base() {
	m := newMapping()
	defer m.Close()
	v, err := m.ViewWith(64<<10, 0, &filemap.ViewOptions{Base: 0x6000_0000})
	if errors.Is(err, fs.ErrInvalid) { // something lies there: then anywhere
		v, err = m.View(64<<10, 0)
	}
	check(err)
	defer v.Close()
	fmt.Println(v.Len())
	// Output: 65536
}

func ExampleView_ReadAt() {
	v := newView()
	defer v.Close()
	n, err := v.ReadAt(make([]byte, 10), int64(v.Len())-4)
	fmt.Println(n, err == io.EOF)

	check(v.Close())
	_, err = v.ReadAt(make([]byte, 10), 0)
	fmt.Println(errors.Is(err, os.ErrClosed))
	// Output:
	// 4 true
	// true
}

// All of the bytes are written, or none.
func ExampleView_WriteAt() {
	v := newView()
	defer v.Close()
	_, err := v.WriteAt([]byte("too long"), int64(v.Len())-4)
	fmt.Println(errors.Is(err, object.ErrRange))
	// Output: true
}

func ExampleView_Writer() {
	v := newView()
	defer v.Close()
	w := v.Writer(0)
	fmt.Fprintln(w, "first line")
	fmt.Fprintln(w, "second line")

	lines := bufio.NewScanner(v.Reader())
	lines.Scan()
	fmt.Println(lines.Text())
	lines.Scan()
	fmt.Println(lines.Text())
	// Output:
	// first line
	// second line
}

// The bytes themselves: fast, and unguarded.
func ExampleView_Bytes() {
	v := newView()
	defer v.Close()
	data, err := v.Bytes()
	check(err)
	copy(data, "hello")
	fmt.Printf("%s, %d bytes\n", data[:5], len(data))
	// Output: hello, 131072 bytes
}

// Any number of processes may count in one word.
func ExampleView_Word64() {
	v := newView()
	defer v.Close()
	count, err := v.Word64(8)
	check(err)
	check(count.Store(40))
	sum, err := count.Add(2)
	check(err)
	now, err := count.Load()
	check(err)
	fmt.Println(sum, now)
	// Output: 42 42
}

func ExampleView_Word32() {
	v := newView()
	defer v.Close()
	version, err := v.Word32(0)
	check(err)
	swapped, err := version.CompareAndSwap(0, 1)
	check(err)
	old, err := version.Swap(7)
	check(err)
	fmt.Println(swapped, old)

	_, err = v.Word32(2)
	fmt.Println(errors.Is(err, fs.ErrInvalid)) // not aligned
	// Output:
	// true 1
	// true
}

// Point is what the processes of these examples agree on.
type Point struct{ X, Y int32 }

func ExampleAt() {
	v := newView()
	defer v.Close()
	p, err := filemap.At[Point](v, 8)
	check(err)
	p.X, p.Y = 3, 4

	copied, err := filemap.Load[Point](v, 8)
	fmt.Println(copied, err)
	_, err = filemap.At[*Point](v, 8)
	fmt.Println(errors.Is(err, fs.ErrInvalid)) // a pointer means nothing to others
	// Output:
	// {3 4} <nil>
	// true
}

func ExampleSliceAt() {
	v := newView()
	defer v.Close()
	points, err := filemap.SliceAt[Point](v, 0, 100)
	check(err)
	points[99] = Point{5, 6}
	fmt.Println(filemap.Load[Point](v, 99*8))
	// Output: {5 6} <nil>
}

func ExampleStore() {
	v := newView()
	defer v.Close()
	check(filemap.Store(v, 3, Point{1, 2})) // no alignment needed
	fmt.Println(filemap.Load[Point](v, 3))
	// Output: {1 2} <nil>
}
