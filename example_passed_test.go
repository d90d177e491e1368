package filemap_test

import (
	"fmt"
	"os"

	"github.com/filemap-go/filemap"
)

// A file is a handle by itself: the mapping lives while it is open. Package handle
// passes it to another process.
func ExampleMapping_File() {
	mapping, err := filemap.Create("", 4096, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := mapping.File(filemap.ReadOnly)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	if err := mapping.Close(); err != nil {
		fmt.Println(err)
		return
	}

	reader, err := filemap.FromFile(f, &filemap.OpenOptions{Access: filemap.ReadOnly})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer reader.Close()
	fmt.Println(reader.Size(), "bytes")
	// Output: 4096 bytes
}

// What is made of a file is checked: the file may come from anybody.
func ExampleFromFile() {
	pipe, _, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer pipe.Close()
	if _, err := filemap.FromFile(pipe, nil); err != nil {
		fmt.Println("a pipe is not a mapping")
	}
	// Output: a pipe is not a mapping
}

// A mapping of a file that the program has open already.
func ExampleCreateOptions_openFile() {
	file, err := os.CreateTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.WriteString("text in a file"); err != nil {
		fmt.Println(err)
		return
	}

	mapping, err := filemap.Create("", 0, &filemap.CreateOptions{OpenFile: file}) // all of it
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	view, err := mapping.View(8, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer view.Close()
	text := make([]byte, view.Len())
	if _, err := view.ReadAt(text, 0); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", text)
	// Output: a file
}
