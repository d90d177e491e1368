package test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/handle"
)

// TestDuplicateIntoProcess puts handles into a process that runs already.
func TestDuplicateIntoProcess(t *testing.T) {
	filemaptest.New(t)
	x, err := makeKit("")
	succeed(t, "makeKit", err)
	cmd := inRole("use told kit", thisBinary(t))
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	succeed(t, "Start", cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()

	files, err := x.files()
	succeed(t, "files", err)
	var refs []string
	for _, f := range files {
		ref, err := handle.Duplicate(f, cmd.Process)
		succeed(t, "Duplicate", errors.Join(err, f.Close()))
		refs = append(refs, ref)
	}
	_, err = io.WriteString(stdin, strings.Join(refs, " "))
	succeed(t, "WriteString", errors.Join(err, stdin.Close()))
	x.expectDeathNotice(t, cmd)
	succeed(t, "Close", x.close())
}

func TestDuplicateIntoDeadProcess(t *testing.T) {
	filemaptest.New(t)
	x, err := makeKit("")
	succeed(t, "makeKit", err)
	defer x.close()
	f, err := x.here.File()
	succeed(t, "File", err)
	defer f.Close()
	cmd := inRole("use told kit", thisBinary(t))
	succeed(t, "Start", cmd.Start())
	process, err := os.FindProcess(cmd.Process.Pid)
	succeed(t, "FindProcess", err)
	defer process.Release()
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	_, err = handle.Duplicate(f, process)
	expect(t, "Duplicate", err, fs.ErrPermission)
}
