package filemap

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/filemap-go/filemap/object"
)

// At returns a pointer to the T at byte off of the view. Accesses through the
// pointer are not checked, as with [View.Bytes]. T may be any type of a fixed size
// without pointers. Its layout is Go's, which is that of C if the fields are in
// order of decreasing size.
//
// Returns object.ErrRange if the T is not inside the view, and fs.ErrInvalid if T
// has pointers or off is not a multiple of its alignment.
func At[T any](v *View, off int64) (*T, error) {
	p, err := typedPointer[T](v, off, 1)
	return (*T)(p), err
}

// SliceAt is [At] for a slice of n values of type T.
func SliceAt[T any](v *View, off int64, n int) ([]T, error) {
	p, err := typedPointer[T](v, off, n)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*T)(p), n), nil
}

func typedPointer[T any](v *View, off int64, n int) (unsafe.Pointer, error) {
	var zero T
	if err := checkType(reflect.TypeFor[T]()); err != nil {
		return nil, v.failed("view", err)
	}
	if err := v.region.Err(); err != nil {
		return nil, v.failed("view", err)
	}
	size := int(unsafe.Sizeof(zero))
	if n < 0 || size > 0 && n > v.Len()/size {
		return nil, v.failed("view", object.Explain(object.ErrRange, fmt.Sprintf(
			"offset %d, %d values of %d bytes: the view has %d bytes", off, n, size, v.Len())))
	}
	p, err := v.region.Pointer(off, size*n, unsafe.Alignof(zero))
	if err != nil {
		return nil, v.failed("view", err)
	}
	return p, nil
}

// Load returns a copy of the T at byte off of the view. The access is checked,
// needs no alignment, and does not allocate. If another process writes there
// meanwhile the copy may be torn.
//
// Returns object.ErrRange if the T is not inside the view, object.ErrFault,
// os.ErrClosed, and fs.ErrInvalid if T has pointers.
func Load[T any](v *View, off int64) (value T, err error) {
	if err := checkType(reflect.TypeFor[T]()); err != nil {
		return value, v.failed("read", err)
	}
	var loaded T
	if err := v.region.ReadAt(bytesOf(&loaded), off); err != nil {
		return value, v.failed("read", err)
	}
	return loaded, nil
}

// Store copies value to byte off of the view. The errors are those of [Load].
func Store[T any](v *View, off int64, value T) error {
	if err := checkType(reflect.TypeFor[T]()); err != nil {
		return v.failed("write", err)
	}
	_, err := v.WriteAt(bytesOf(&value), off)
	return err
}

func bytesOf[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}
