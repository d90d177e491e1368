package handle_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/handle"
	"github.com/filemap-go/filemap/waitable"
)

// childVariable makes a process of this test binary a child of the examples.
const childVariable = "FILEMAP_EXAMPLE_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "inherits":
		err = child(os.Args[1], os.Args[2])
	case "is told":
		var refs []byte
		if refs, err = io.ReadAll(os.Stdin); err == nil {
			mapping, event, _ := strings.Cut(string(refs), " ")
			err = child(mapping, event)
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

// A parent shares a mapping and an event with a child. Neither has a name, so no
// other process can reach them.
func Example() {
	mapping, err := filemap.Create("", 64, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	written, err := waitable.CreateEvent("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer written.Close()

	program, err := os.Executable() // this program: see child below
	if err != nil {
		fmt.Println(err)
		return
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childVariable+"=inherits")
	if err := give(cmd, mapping, written); err != nil {
		fmt.Println(err)
		return
	}
	defer cmd.Wait()

	if err := written.Wait(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read(mapping))
	// Output: hello from the child
}

// give starts the command with both objects.
func give(cmd *exec.Cmd, mapping *filemap.Mapping, written *waitable.Event) error {
	m, err := mapping.File(filemap.ReadWrite)
	if err != nil {
		return err
	}
	defer m.Close()
	w, err := written.File()
	if err != nil {
		return err
	}
	defer w.Close()
	for _, f := range []*os.File{m, w} {
		ref, err := handle.Inherit(cmd, f)
		if err != nil {
			return err
		}
		cmd.Args = append(cmd.Args, ref)
	}
	return cmd.Start()
}

// child is what the other process does with what it was given.
func child(mappingRef, writtenRef string) error {
	m, err := handle.Open(mappingRef)
	if err != nil {
		return err
	}
	defer m.Close()
	w, err := handle.Open(writtenRef)
	if err != nil {
		return err
	}
	defer w.Close()
	mapping, err := filemap.FromFile(m, nil)
	if err != nil {
		return err
	}
	defer mapping.Close()
	written, err := waitable.EventFromFile(w)
	if err != nil {
		return err
	}
	defer written.Close()

	view, err := mapping.View(0, 0)
	if err != nil {
		return err
	}
	defer view.Close()
	if _, err := view.WriteAt([]byte("hello from the child"), 0); err != nil {
		return err
	}
	return written.Set()
}

// read returns the text that a mapping begins with.
func read(mapping *filemap.Mapping) string {
	view, err := mapping.View(0, 0)
	if err != nil {
		return err.Error()
	}
	defer view.Close()
	text := make([]byte, view.Len())
	if _, err := view.ReadAt(text, 0); err != nil {
		return err.Error()
	}
	return strings.TrimRight(string(text), "\x00")
}

// A process passes a mapping that others may only read over a unix socket, to a
// process that need not be a relative.
func ExampleSend() {
	if runtime.GOOS != "linux" {
		fmt.Println("shared by its handle") // see Duplicate
		return
	}
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	address := &net.UnixAddr{Name: dir + "/socket"}
	listener, err := net.ListenUnix("unix", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Close()
	go serve(listener)

	conn, err := net.DialUnix("unix", nil, address) // in the other process
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	f, err := handle.Receive(conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	mapping, err := filemap.FromFile(f, &filemap.OpenOptions{Access: filemap.ReadOnly})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	fmt.Println(read(mapping))
	// Output: shared by its handle
}

// serve gives one client a mapping to read.
func serve(listener *net.UnixListener) {
	mapping, err := filemap.Create("", 64, &filemap.CreateOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	view, err := mapping.View(0, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer view.Close()
	if _, err := view.WriteAt([]byte("shared by its handle"), 0); err != nil {
		fmt.Println(err)
		return
	}
	conn, err := listener.AcceptUnix()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	f, err := mapping.File(filemap.ReadOnly)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	if err := handle.Send(conn, f); err != nil {
		fmt.Println(err)
	}
}

// On Windows a process puts handles into one that runs already.
func ExampleDuplicate() {
	mapping, err := filemap.Create("", 64, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer mapping.Close()
	written, err := waitable.CreateEvent("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer written.Close()
	err = duplicate(mapping, written)
	switch {
	case errors.Is(err, errors.ErrUnsupported): // Linux: see Send
		fmt.Println("hello from the child")
		return
	case err != nil:
		fmt.Println(err)
		return
	}
	if err := written.Wait(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read(mapping))
	// Output: hello from the child
}

// duplicate starts a process, and then gives it both objects.
func duplicate(mapping *filemap.Mapping, written *waitable.Event) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), childVariable+"=is told")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	defer stdin.Close()
	if err := cmd.Start(); err != nil {
		return err
	}
	m, err := mapping.File(filemap.ReadWrite)
	if err != nil {
		return err
	}
	defer m.Close()
	w, err := written.File()
	if err != nil {
		return err
	}
	defer w.Close()
	mappingRef, err := handle.Duplicate(m, cmd.Process)
	if err != nil {
		return err
	}
	writtenRef, err := handle.Duplicate(w, cmd.Process)
	if err != nil {
		return err
	}
	_, err = io.WriteString(stdin, mappingRef+" "+writtenRef)
	return err
}
