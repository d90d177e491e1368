package channel_test

import (
	"errors"
	"io"
	"testing"

	"github.com/filemap-go/filemap/channel"
)

// expectNoAllocs runs what users do all the time.
func expectNoAllocs(t *testing.T, hot map[string]func() error) {
	t.Helper()
	for name, do := range hot {
		allocs := testing.AllocsPerRun(1000, func() {
			if err := do(); err != nil {
				t.Error(name, err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func TestQueueDoesNotAllocate(t *testing.T) {
	a, b := queue(t, nil)
	buffer, message := make([]byte, 100), make([]byte, 64)
	batch := [][]byte{message, message}
	nothing := func([]byte) error { return nil }
	hot := map[string]func() error{
		"Send and Receive": func() error {
			err := a.Send(background, message)
			return errors.Join(err, second(b.Receive(background, buffer)))
		},
		"in place": func() error {
			draft, err := a.Reserve(background, 64)
			if err == nil {
				err = draft.Commit(64)
			}
			if err != nil {
				return err
			}
			lease, err := b.Next(background)
			if err == nil {
				err = lease.Release()
			}
			return err
		},
		"SendBatch and Drain": func() error {
			_, err := a.SendBatch(background, batch)
			if err == nil {
				_, err = b.Drain(background, nothing)
			}
			return err
		},
		"TryReceive": func() error {
			_, _, err := b.TryReceive(buffer)
			return err
		},
		"Take": func() error {
			if err := a.Send(background, message); err != nil {
				return err
			}
			m, err := b.Take(background)
			if err == nil {
				err = m.Return()
			}
			if err != nil {
				return err
			}
			m, _, err = b.TryTake()
			return errors.Join(err, m.Done())
		},
	}
	expectNoAllocs(t, hot)
}

func TestTopicDoesNotAllocate(t *testing.T) {
	policies(t, func(t *testing.T, overflow channel.Overflow) {
		to := topic(t, &channel.TopicOptions{Overflow: overflow})
		s := subscribe(t, to, 0)
		buffer, message := make([]byte, 100), make([]byte, 64)
		batch := [][]byte{message, message}
		hot := map[string]func() error{
			"Publish and Receive": func() error {
				err := to.Publish(background, message)
				return errors.Join(err, second(s.Receive(background, buffer)))
			},
			"TryPublish and TryReceive": func() error {
				err := to.TryPublish(message)
				_, _, tryErr := s.TryReceive(buffer)
				return errors.Join(err, tryErr)
			},
			"PublishBatch": func() error {
				err := second(to.PublishBatch(background, batch))
				for range batch {
					err = errors.Join(err, second(s.Receive(background, buffer)))
				}
				return err
			},
			"in place": func() error {
				draft, err := to.Reserve(background, 64)
				if err == nil {
					err = draft.Commit(64)
				}
				if err != nil {
					return err
				}
				lease, err := s.Next(background)
				if err == nil {
					err = lease.Release()
				}
				return err
			},
		}
		expectNoAllocs(t, hot)
	})
}

func TestLatestDoesNotAllocate(t *testing.T) {
	a, b := latest(t, 100)
	value, buffer := make([]byte, 100), make([]byte, 100)
	last := uint64(0)
	expectNoAllocs(t, map[string]func() error{
		"Write, Read and Wait": func() (err error) {
			err = errors.Join(a.Write(value), second(b.Read(buffer)))
			if err == nil {
				last, err = b.Wait(background, last, buffer)
			}
			return err
		},
		"in place": func() error {
			draft, err := a.Reserve()
			if err == nil {
				err = draft.Commit()
			}
			if err != nil {
				return err
			}
			lease, err := b.Next(background, 0)
			if err == nil {
				err = lease.Release()
			}
			return err
		},
	})
}

func TestConnDoesNotAllocate(t *testing.T) {
	dialed, accepted := pair(t)
	long, buffer := make([]byte, 20_000), make([]byte, 20_000) // more than a record holds
	hot := map[string]func() error{
		"Write and Read": func() error {
			_, err := dialed.Write(long[:64])
			return errors.Join(err, second(accepted.Read(buffer)))
		},
		"several records": func() error {
			_, err := dialed.Write(long)
			return errors.Join(err, second(io.ReadFull(accepted, buffer)))
		},
	}
	expectNoAllocs(t, hot)
}
