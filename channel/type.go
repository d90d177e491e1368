package channel

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"reflect"
	"strconv"
	"strings"

	"github.com/filemap-go/filemap/channel/internal/segment"
	"github.com/filemap-go/filemap/object"
)

// Type describes the Go type of a channel's messages: see [TypeOf].
type Type struct {
	text string
	size int
	err  error // of a type that no channel can have
}

// TypeOf returns the Type for messages that are values of type T. T may be any type
// of a fixed size without pointers. Programs agree on it if the type has the same
// name, without its package, the same size, and the same fields: their names,
// offsets and kinds, in the same order.
func TypeOf[T any]() *Type {
	t := reflect.TypeFor[T]()
	name := t.Name()
	if name == "" {
		name = "-"
	}
	layout, err := describe(t)
	if err != nil {
		err = object.Explain(fs.ErrInvalid, fmt.Sprintf("values of type %v hold pointers", t))
	}
	return &Type{fmt.Sprintf("%s %d %s", name, t.Size(), layout), int(t.Size()), err}
}

// String returns the description that is compared and that a channel's memory has,
// as docs/channel-format.md says. For example:
//
//	Tick 24 {Time 0 int64,Price 8 float64,Size 16 uint32}
func (t *Type) String() string { return t.text }

// Size returns the length of a message.
func (t *Type) Size() int { return t.size }

// describe returns what values of a type consist of.
func describe(t reflect.Type) (string, error) {
	switch kind := t.Kind(); kind {
	case reflect.Int, reflect.Uint, reflect.Uintptr: // as the processor has them
		return strings.TrimSuffix(kind.String(), "ptr") + strconv.Itoa(t.Bits()), nil
	case reflect.Array:
		element, err := describe(t.Elem())
		return fmt.Sprintf("[%d]%s", t.Len(), element), err
	case reflect.Struct:
		fields := make([]string, t.NumField())
		for i := range fields {
			field := t.Field(i)
			layout, err := describe(field.Type)
			if err != nil {
				return "", err
			}
			fields[i] = fmt.Sprintf("%s %d %s", field.Name, field.Offset, layout)
		}
		return "{" + strings.Join(fields, ",") + "}", nil
	case reflect.Bool, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return kind.String(), nil
	}
	return "", fs.ErrInvalid
}

func (t *Type) words() (w segment.Type) {
	if t == nil {
		return w
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(t.text)) // never fails
	w.Fingerprint = max(hash.Sum64(), 1)
	copy(w.Text[:], t.text)
	return w
}

// usable returns an error if no channel can have messages of the type.
func (t *Type) usable() error {
	if t == nil {
		return nil
	}
	return t.err
}

// matches returns an [object.ErrWrongKind] unless the type, if there is one, is that
// of a channel's messages.
func (t *Type) matches(there segment.Type) error {
	if err := t.usable(); t == nil || err != nil {
		return err
	}
	mine := t.words()
	switch {
	case mine.Fingerprint == there.Fingerprint:
		return nil
	case there.Fingerprint == 0:
		return object.Explain(object.ErrWrongKind, fmt.Sprintf("the channel's messages have no type, not %s", t))
	case mine.Text == there.Text:
		return object.Explain(object.ErrWrongKind, fmt.Sprintf(
			"the channel's messages are %s, which differs from %s after %d bytes", there.Description(), t, len(there.Text)))
	}
	return object.Explain(object.ErrWrongKind, fmt.Sprintf(
		"the channel's messages are %s, not %s", there.Description(), t))
}
