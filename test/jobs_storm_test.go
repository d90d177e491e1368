package test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/filemaptest"
)

// A storm over jobs: workers take them, at random several at once, and are killed
// and stopped at random moments. Each job has a word, which counts how often it was
// worked on. No job may be lost, and none worked on twice, unless its worker was
// killed between its work and Done.

// jobMessage returns the message of a job.
func jobMessage(number uint64) []byte {
	p := binary.LittleEndian.AppendUint64(nil, number)
	for i := range (number*number + 3*number) % 700 {
		p = append(p, byte(number+i))
	}
	return p
}

// workOnJobs is the role of a worker.
func workOnJobs(arguments []string) error {
	c, rest, err := newContender(arguments)
	if err != nil {
		return err
	}
	words, err := openJobs(filemap.Open(rest[0], nil))
	if err != nil {
		return err
	}
	q, err := channel.OpenQueue(rest[1], nil)
	if err != nil {
		return err
	}
	defer q.Close()
	w := jobWorker{contender: c, words: words, q: q}
	for c.word(boardEnd).Load() == 0 {
		if err := w.work(); err != nil {
			c.wrong("%v", err)
			return nil
		}
	}
	return nil
}

func openJobs(m *filemap.Mapping, err error) ([]atomic.Uint64, error) {
	if err != nil {
		return nil, err
	}
	v, err := m.View(0, 0)
	if err != nil {
		return nil, err
	}
	return filemap.SliceAt[atomic.Uint64](v, 0, v.Len()/8)
}

type jobWorker struct {
	*contender
	words []atomic.Uint64
	q     *channel.Queue
	last  uint64 // the last job that this worker was the first to take, plus 1
}

// work takes some jobs and ends them in any order.
func (w *jobWorker) work() error {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	batch, err := w.q.TakeBatch(ctx, 1+rand.IntN(4))
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return nil
		}
		return err
	}
	for _, m := range batch {
		number := binary.LittleEndian.Uint64(m.Bytes())
		if m.Takes() == 0 && number < w.last {
			return fmt.Errorf("job %d was first taken after %d", number, w.last-1)
		}
		if m.Takes() == 0 {
			w.last = number + 1
		}
	}
	rand.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
	for _, m := range batch {
		if err := w.end(m); err != nil {
			return err
		}
	}
	return nil
}

func (w *jobWorker) end(m channel.Taken) error {
	if rand.IntN(50) == 0 {
		return m.Return()
	}
	number := binary.LittleEndian.Uint64(m.Bytes())
	if string(m.Bytes()) != string(jobMessage(number)) {
		return fmt.Errorf("job %d was overwritten in hand", number)
	}
	w.word(boardStarted).Store(1)
	w.word(boardTaken).Add(1)
	w.words[number].Add(1)
	return m.Done()
}

func TestJobsStorm(t *testing.T) {
	const workers = 4
	jobs := effort(t, 20_000, 1_000_000)
	ns := filemaptest.New(t)
	q, err := channel.CreateQueue(ns.Name("q"), &channel.QueueOptions{Capacity: stormCapacity})
	keepOpen(t, q, err)
	m := created(t, ns.Name("jobs"), int64(8*jobs), nil)
	words, err := openJobs(m, nil)
	succeed(t, "the jobs", err)
	c := newContest(t, ns, "jobs", workers)
	c.command = func(_ int, role string, arguments []string) *exec.Cmd {
		return inRole(role, thisBinary(t), append(arguments, ns.Name("jobs"), ns.Name("q"))...)
	}
	t.Cleanup(c.killAll)
	sent := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	began := time.Now()
	go func() {
		var err error
		for i := 0; i < jobs && err == nil; i++ {
			err = q.Send(ctx, jobMessage(uint64(i)))
		}
		sent <- err
	}()
	for i := range c.workers {
		c.start(i)
	}
	c.awaitStarted()
	stops, running := 0, true
	for running && !t.Failed() && c.board.word(boardWrong).Load() == 0 {
		select {
		case err := <-sent:
			succeed(t, "Send", err)
			running = false
		case <-time.After(time.Duration(rand.IntN(20_000)) * time.Microsecond):
		}
		i := rand.IntN(workers)
		if stops += c.stopFor(i, time.Duration(rand.IntN(10_000))*time.Microsecond); rand.IntN(2) == 0 {
			c.kill(i)
			c.start(i)
		}
	}
	if err := q.AwaitEmpty(ctx); err != nil {
		t.Error(err)
	}
	took := time.Since(began)
	c.board.word(boardEnd).Store(1)
	time.Sleep(200 * time.Millisecond) // the workers end by themselves
	c.killAllOrEnded()

	lost, again := 0, 0
	for i := range words {
		if n := words[i].Load(); n == 0 {
			lost++
		} else {
			again += int(n - 1)
		}
	}
	if lost > 0 || again > c.kills {
		t.Errorf("%d of %d jobs were lost, %d done again after %d kills", lost, jobs, again, c.kills)
	}
	c.expectRight()
	t.Logf("figures: jobs storm: %d jobs, %d workers, %d kills, %d stops, %v: %d lost, %d done again, %d violations",
		jobs, c.started, c.kills, stops, took.Round(time.Millisecond), lost, again, c.board.word(boardWrong).Load())
}

// Of Linux; Windows refuses them.
const (
	signalStop     = syscall.Signal(19)
	signalContinue = syscall.Signal(18)
)

// stopFor stops a process for a while, and returns how often: 0 on Windows.
func (c *contest) stopFor(i int, pause time.Duration) (stops int) {
	process := c.workers[i].Process
	if process.Signal(signalStop) != nil {
		return 0
	}
	time.Sleep(pause)
	if err := process.Signal(signalContinue); err != nil {
		c.t.Error(err)
	}
	return 1
}
