package inspect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/inspect"
)

// tag makes the names of the examples this process's own.
var tag = fmt.Sprintf("-%d", os.Getpid())

func newMapping(name string) *filemap.Mapping {
	m, err := filemap.Create(name+tag, 64<<10, nil)
	if err != nil {
		panic(err)
	}
	return m
}

func ExampleList() {
	defer newMapping(`Local\Board`).Close()
	defer newMapping(`Local\Table`).Close()

	objects, err := inspect.List(context.Background(), `Local\*`+tag)
	for _, o := range objects {
		fmt.Println(strings.TrimSuffix(o.Name, tag), o.Kind, o.Size)
	}
	fmt.Println(err)
	// Output:
	// Local\Board mapping 65536
	// Local\Table mapping 65536
	// <nil>
}

func ExampleFind() {
	m := newMapping(`Local\Found`)
	o, err := inspect.Find(context.Background(), `Local\Found`+tag)
	held := slices.ContainsFunc(o.Holders, func(h inspect.Holder) bool { return h.PID == os.Getpid() })
	fmt.Println(o.Kind, o.Size, held, err)

	m.Close()
	_, err = inspect.Find(context.Background(), `Local\Found`+tag)
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// mapping 65536 true <nil>
	// true
}

// In JSON an object has the fields that 'filemap ls --json' prints.
func ExampleObject() {
	o := inspect.Object{
		Name: `Local\SampleMap`, Kind: "mapping", Size: 65536,
		Native:  "/dev/shm/filemap.1000.SampleMap",
		Holders: []inspect.Holder{{PID: 4711, Exe: "/usr/bin/filemap"}},
	}
	text, err := json.MarshalIndent(o, "", "  ")
	fmt.Println(string(text), err)
	// Output:
	// {
	//   "name": "Local\\SampleMap",
	//   "kind": "mapping",
	//   "size": 65536,
	//   "native": "/dev/shm/filemap.1000.SampleMap",
	//   "holders": [
	//     {
	//       "pid": 4711,
	//       "exe": "/usr/bin/filemap"
	//     }
	//   ]
	// } <nil>
}

// Who cannot open a Local name may learn that it is another user's.
func ExampleOtherUser() {
	name := `Local\Mine alone` + tag
	if _, err := filemap.Open(name, nil); errors.Is(err, fs.ErrNotExist) {
		if uid, found := inspect.OtherUser(context.Background(), name); found {
			fmt.Println("user", uid, "has it")
		} else {
			fmt.Println("nobody has it")
		}
	}
	// Output: nobody has it
}

func ExampleProcesses() {
	for _, p := range inspect.Processes([]int{os.Getpid()}) {
		fmt.Println(p.PID == os.Getpid(), p.Parent == os.Getppid(), strings.Contains(p.Command, "inspect.test"))
	}
	// Output: true true true
}

func ExampleClean() {
	cleaned, err := inspect.Clean()
	fmt.Println(cleaned.Objects, cleaned.Bytes, err)
	// Output: 0 0 <nil>
}
