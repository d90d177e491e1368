package channel_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/object"
)

// TestErrorsExplain checks that errors have the numbers that explain them.
func TestErrorsExplain(t *testing.T) {
	q, _ := queue(t, &channel.QueueOptions{Capacity: 4096})
	to := topic(t, &channel.TopicOptions{Capacity: 4096})
	value, err := channel.CreateLatest(filemaptest.New(t).Name("l"), 16, nil)
	succeed(t, "CreateLatest", err)
	t.Cleanup(func() { _ = value.Close() })
	tests := []struct {
		do   func() error
		is   error
		text string
	}{
		{
			func() error { return q.Send(background, make([]byte, 5000)) }, channel.ErrTooLong,
			fmt.Sprintf("the message is too long for the channel: 5000 bytes, and the limit is %d", q.Longest()),
		}, {
			func() error { return to.Publish(background, make([]byte, 5000)) }, channel.ErrTooLong,
			fmt.Sprintf("the message is too long for the channel: 5000 bytes, and the limit is %d", to.Longest()),
		}, {
			func() error { _, err := q.Reserve(background, -1); return err }, fs.ErrInvalid,
			"length -1: it must not be negative",
		}, {
			func() error {
				draft, err := q.Reserve(background, 8)
				succeed(t, "Reserve", err)
				err = draft.Commit(9)
				return errors.Join(err, draft.Abort())
			}, object.ErrRange,
			"length 9: 8 bytes are reserved",
		}, {
			func() error {
				draft, err := to.Reserve(background, 8)
				succeed(t, "Reserve", err)
				err = draft.Commit(9)
				return errors.Join(err, draft.Abort())
			}, object.ErrRange,
			"length 9: 8 bytes are reserved",
		}, {
			func() error { _, err := to.Subscribe(&channel.SubscribeOptions{Last: -1}); return err }, fs.ErrInvalid,
			"Last is -1: it must not be negative",
		}, {
			func() error { return value.Write(make([]byte, 8)) }, fs.ErrInvalid,
			"a value of 8 bytes: it must have 16",
		}, {
			func() error { _, err := value.Read(make([]byte, 8)); return err }, fs.ErrInvalid,
			"the buffer has 8 bytes, and the value 16",
		},
	}
	for _, test := range tests {
		err := test.do()
		if !errors.Is(err, test.is) || !strings.HasSuffix(err.Error(), ": "+test.text) {
			t.Errorf("error %v, want %q, which is %v", err, test.text, test.is)
		}
	}
}
