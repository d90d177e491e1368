//go:build !linux && !windows

package kernel

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/filemap-go/filemap/internal/mem"
	"github.com/filemap-go/filemap/object"
)

// Other systems have no such kernel, and so no filemap: programs compile, and
// are told by this error.
var errOther = errors.ErrUnsupported

// Mapping does not exist here.
type Mapping struct{}

func (*Mapping) Size() int64                       { return 0 }
func (*Mapping) Access() object.Access             { return object.ReadOnly }
func (*Mapping) Map(ViewSpec) (*mem.Region, error) { return nil, errOther }
func (*Mapping) Check() error                      { return errOther }
func (*Mapping) Alias() (string, error)            { return "", errOther }
func (*Mapping) Close() error                      { return errOther }

func (*Mapping) Export(object.Access) (*os.File, error) { return nil, errOther }

func ReceiveMapping(*os.File, object.Access) (*Mapping, object.Name, error) {
	return nil, object.Name{}, errOther
}

func Inherit(*exec.Cmd, *os.File) (string, error)     { return "", errOther }
func OpenPassed(string) (*os.File, error)             { return nil, errOther }
func Duplicate(*os.File, *os.Process) (string, error) { return "", errOther }

func CreateMapping(MappingSpec) (*Mapping, error)           { return nil, errOther }
func Watch(object.Name) (<-chan struct{}, func(), error)    { return nil, nil, errOther }
func OtherUser(context.Context, object.Name) (uint32, bool) { return 0, false }
func Clean() (Cleaned, error)                               { return Cleaned{}, errOther }
func NativeName(object.Name) string                         { return "" }
func Unlink(object.Name) error                              { return errOther }
func Executable(int) string                                 { return "" }
func Process(int) (int, string, bool)                       { return 0, "", false }

func Exists(context.Context, object.Name) (bool, error) { return false, errOther }
func Look(context.Context, object.Name) (Info, error)   { return Info{}, errOther }
func LockedBy(context.Context, object.Name, int) (Info, bool, error) {
	return Info{}, false, errOther
}

func Find(context.Context, object.Name) (Info, error) { return Info{}, errOther }

func OpenMapping(context.Context, object.Name, object.Access) (*Mapping, error) {
	return nil, errOther
}

func List(context.Context, func(object.Name) bool) ([]Info, error) { return nil, errOther }
