package filemap_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// tag makes the names of the examples this process's own.
var tag = fmt.Sprintf("-%d", os.Getpid())

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func Example() {
	// One process:
	m, err := filemap.Create(`Local\SampleMap`+tag, 64<<10, nil)
	check(err)
	defer m.Close()
	v, err := m.View(0, 1024)
	check(err)
	defer v.Close()
	_, err = v.WriteAt([]byte("hello"), 0)
	check(err)

	// Another one:
	opened, err := filemap.Open(`Local\SampleMap`+tag, &filemap.OpenOptions{Access: filemap.ReadOnly})
	check(err)
	defer opened.Close()
	all, err := opened.View(0, 0)
	check(err)
	defer all.Close()
	text := make([]byte, 5)
	_, err = all.ReadAt(text, 0)
	check(err)
	fmt.Printf("%s\n", text)
	// Output: hello
}

func ExampleCreate() {
	m, err := filemap.Create(`Local\Create`+tag, 10_000, nil)
	check(err)
	fmt.Println(m.Size(), m.Access(), m.Name() == `Local\Create`+tag)

	_, err = filemap.Create(`Local\Create`+tag, 10_000, nil)
	fmt.Println("while it is held:", errors.Is(err, fs.ErrExist))

	check(m.Close())
	_, err = filemap.Open(`Local\Create`+tag, nil)
	fmt.Println("after the last handle:", errors.Is(err, fs.ErrNotExist))
	// Output:
	// 10000 read-write true
	// while it is held: true
	// after the last handle: true
}

// The bytes of the mapping are those of a file, which is made here.
func ExampleCreate_file() {
	path := filepath.Join(os.TempDir(), "filemap-example"+tag)
	defer os.Remove(path)
	m, err := filemap.Create(`Local\Table`+tag, 4096, &filemap.CreateOptions{File: path})
	check(err)
	defer m.Close()
	v, err := m.View(0, 0)
	check(err)
	defer v.Close()
	_, err = v.WriteAt([]byte("row 1"), 0)
	check(err)
	check(v.Flush())

	data, err := os.ReadFile(path)
	check(err)
	fmt.Printf("%s, %d bytes\n", data[:5], len(data))
	// Output: row 1, 4096 bytes
}

// Everybody on the machine may read, and only this user write.
func ExampleCreate_security() {
	opts := &filemap.CreateOptions{Security: &filemap.Security{Everybody: object.ShareRead}}
	m, err := filemap.Create(`Global\Board`+tag, 4096, opts)
	if errors.Is(err, fs.ErrPermission) { // on Windows, for want of a privilege
		m, err = filemap.Create(`Local\Board`+tag, 4096, opts)
	}
	check(err)
	defer m.Close()
	fmt.Println(strings.HasSuffix(m.Name(), `\Board`+tag))
	// Output: true
}

// Reserving the memory of a huge mapping takes long: it can be watched, and
// ended early, or left for later.
func ExampleCreate_huge() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := filemap.Create(`Local\Huge`+tag, 1<<20, &filemap.CreateOptions{
		Context:  ctx,
		Progress: func(reserved, total int64) { fmt.Println(reserved, "of", total) },
	})
	check(err)
	check(m.Close())

	m, err = filemap.Create(`Local\Huge`+tag, 1<<20, &filemap.CreateOptions{Sparse: true})
	check(err)
	check(m.Close())
	// Output: 1048576 of 1048576
}

// Nobody sees the mapping without its header.
func ExampleCreateOptions() {
	opts := &filemap.CreateOptions{Init: func(v *filemap.View) error {
		_, err := v.WriteAt([]byte("version 1"), 0)
		return err
	}}
	m, created, err := filemap.OpenOrCreate(`Local\Table with a header`+tag, 4096, opts)
	check(err)
	defer m.Close()
	v, err := m.View(0, 9)
	check(err)
	defer v.Close()
	header := make([]byte, 9)
	_, err = v.ReadAt(header, 0)
	check(err)
	fmt.Printf("%v, %s\n", created, header)
	// Output: true, version 1
}

// A program of a later version needs more bytes than an earlier one makes.
func ExampleOpenOptions() {
	const size = 1 << 20
	m, err := filemap.Create(`Local\Small`+tag, size, nil)
	check(err)
	defer m.Close()
	_, err = filemap.Open(`Local\Small`+tag, &filemap.OpenOptions{MinSize: 2 * size})
	fmt.Println(errors.Is(err, object.ErrRange))
	// Output: true
}

func ExampleOpen() {
	_, err := filemap.Open(`Local\Nobody has this`+tag, nil)
	fmt.Println(errors.Is(err, fs.ErrNotExist))

	var failed *object.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Op, failed.Kind, failed.Err)
	}
	// Output:
	// true
	// open mapping no such name
}

func ExampleOpenOrCreate() {
	for range 2 {
		m, created, err := filemap.OpenOrCreate(`Local\Shared`+tag, 4096, nil)
		check(err)
		defer m.Close()
		fmt.Println(created)
	}
	// Output:
	// true
	// false
}

func ExampleAwait() {
	created := make(chan *filemap.Mapping, 1)
	go func() { // in most programs, another process
		m, err := filemap.Create(`Local\Late`+tag, 4096, nil)
		check(err)
		created <- m
	}()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	m, err := filemap.Await(ctx, `Local\Late`+tag, nil)
	check(err)
	defer m.Close()
	defer (<-created).Close()
	fmt.Println("it is there")
	// Output: it is there
}

// The error of a wait that ends is the context's.
func ExampleAwait_timeout() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	_, err := filemap.Await(ctx, `Local\Never`+tag, nil)
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

// A POSIX mapping stays until somebody unlinks it. On Windows there is none:
// the slash is a character like any other.
func ExampleUnlink() {
	m, err := filemap.Create("/posix"+tag, 4096, nil)
	check(err)
	check(m.Close())
	err = filemap.Unlink("/posix" + tag)
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	_, openErr := filemap.Open("/posix"+tag, nil)
	fmt.Println(err, errors.Is(openErr, fs.ErrNotExist))
	// Output: <nil> true
}

func ExampleNativeName() {
	native, err := filemap.NativeName(`Local\SampleMap`)
	check(err)
	// /dev/shm/filemap.1000.SampleMap or \Sessions\1\BaseNamedObjects\SampleMap
	fmt.Println(strings.HasSuffix(native, "SampleMap"))
	// Output: true
}

// A program that holds a mapping for long sees to it that others can open it.
func ExampleMapping_Check() {
	m, err := filemap.Create(`Local\Service`+tag, 4096, nil)
	check(err)
	defer m.Close()
	_, err = m.Alias() // from which Check can give the name back
	check(err)
	if err := m.Check(); errors.Is(err, object.ErrNameLost) {
		fmt.Println("create it anew, and tell the clients")
	}
	// Output:
}

// Give the alias, and not the name, to programs that remove what they attach to.
func ExampleMapping_Alias() {
	m, err := filemap.Create(`Local\ForPython`+tag, 4096, nil)
	check(err)
	defer m.Close()
	alias, err := m.Alias()
	check(err)
	// In Python: shared_memory.SharedMemory(alias)
	fmt.Println(strings.Contains(alias, "ForPython"))
	// Output: true
}
