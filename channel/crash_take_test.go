//go:build filemap_steps

package channel_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/channel"
)

func init() { roles["crash with messages"] = crashWithMessages }

// crashWithMessages takes messages, ends them and sends around them, up to the step
// at which it dies. It says which messages it has ended, and which it has sent.
func crashWithMessages(name string) error {
	q, err := channel.OpenQueue(name, nil)
	if err != nil {
		return err
	}
	if err := dieAtStep(); err != nil {
		return err
	}
	done := func(m channel.Taken) error {
		text := string(m.Bytes()[:2])
		err := m.Done()
		if err == nil {
			say("done " + text)
		}
		return err
	}
	one, err := q.Take(background)
	two, err2 := q.Take(background)
	if err := errors.Join(err, err2, done(one), two.Return()); err != nil {
		return err
	}
	batch, err := q.TakeBatch(background, 4) // among them those of a dead process
	if err != nil {
		return err
	}
	for _, text := range []string{"u1", "u2", "u3"} { // around what is in hand
		if err := q.Send(background, []byte(text+strings.Repeat(".", 1200))); err != nil {
			return err
		}
		say("sent " + text)
		m, err := q.Take(background)
		if err := errors.Join(err, done(m)); err != nil {
			return err
		}
	}
	for i := len(batch) - 1; i > 0; i-- {
		if err := done(batch[i]); err != nil {
			return err
		}
	}
	received, err := q.Receive(background, nil)
	if err == nil {
		say("done " + string(received[:2]))
		err = q.Close() // with one in hand
	}
	say("through")
	return err
}

func TestCrashPointsTake(t *testing.T) {
	atEachStep(t, "messages in hand", crashTakingAt)
}

func crashTakingAt(t *testing.T, name string) (through bool) {
	q, err := channel.CreateQueue(name, &channel.QueueOptions{Capacity: 4096})
	succeed(t, "CreateQueue", err)
	defer q.Close()
	all := []string{"d1", "d2", "m1", "m2", "m3", "m4", "m5"}
	for _, m := range all[:2] {
		send(t, q, m)
	}
	before := start(t, "hold messages", name)
	before.await(t, "held")
	before.kill()
	for _, m := range all[2:] {
		send(t, q, m)
	}
	other := start(t, "crash with messages", name)
	ended := make(map[string]int)
	for other.output.Scan() {
		switch what, m, _ := strings.Cut(strings.TrimSpace(other.output.Text()), " "); what {
		case "done":
			ended[m]++
		case "sent":
			all = append(all, m)
		case "through":
			through = true
		}
	}
	other.kill()
	ctx, cancel := context.WithTimeout(background, time.Minute)
	defer cancel()
	succeed(t, "Send", q.Send(ctx, []byte("zz")))
	for ended["zz"] == 0 || len(ended) < len(all) {
		m, err := q.Take(ctx)
		if ended["zz"] > 0 && err != nil {
			break
		}
		succeed(t, "Take", err)
		ended[string(m.Bytes()[:2])]++
		succeed(t, "Done", m.Done())
		if ended["zz"] > 0 {
			ctx, cancel = context.WithTimeout(background, 600*time.Millisecond) // two looks
			defer cancel()
		}
	}
	missing := 0
	for _, m := range all {
		switch n := ended[m]; {
		case n == 0:
			missing++ // it may have been ended just before the death
		case n > 1:
			t.Errorf("message %s was ended %d times", m, n)
		}
	}
	if missing > 1 {
		t.Errorf("%d of %d messages are missing: %v", missing, len(all), ended)
	}
	return through
}
