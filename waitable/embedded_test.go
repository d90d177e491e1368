package waitable_test

import (
	"context"
	"testing"

	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// TestEmbeddedObjects waits for objects that are fields of others, such as a handle
// with what belongs to it.
func TestEmbeddedObjects(t *testing.T) {
	type wrapped struct{ waitable.Object }
	event, err := waitable.CreateEvent(`Local\Embedded`, &waitable.EventOptions{Signaled: true, ManualReset: true})
	if err != nil {
		t.Fatal(err)
	}
	defer event.Close()
	condition := waitable.NewCondition("", object.Job,
		func(context.Context) (bool, error) { return true, nil }, func(context.Context) error { return nil })
	for _, o := range []waitable.Object{event, waitable.Name(`Local\Embedded`), condition} {
		if _, err := waitable.Any(context.Background(), wrapped{o}); err != nil {
			t.Errorf("Any of a %T: %v", o, err)
		}
		if _, err := waitable.All(context.Background(), wrapped{o}); err != nil {
			t.Errorf("All of a %T: %v", o, err)
		}
	}
}
