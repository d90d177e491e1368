package test

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
)

const (
	stormProcesses = 8
	stormRound     = 50 // kills from one killing of all processes to the next
)

// storm is processes that create, open and close mappings of a few names, and
// are killed at random.
type storm struct {
	t       *testing.T
	names   []string
	file    *os.File // of the counts
	workers []*exec.Cmd
	started int64

	kills, left int
	residue     int // files that the dead had left, when all were dead
}

func TestKillStorm(t *testing.T) {
	linuxOnly(t, "there the system itself keeps the objects")
	ns := filemaptest.New(t)
	file, err := os.Create(fileOf(t, nil))
	succeed(t, "Create", err)
	defer file.Close()
	s := &storm{
		t: t, file: file, workers: make([]*exec.Cmd, stormProcesses),
		names: []string{ns.Name("A"), ns.Name(`Local\B`), ns.Name(`Global\C`)},
	}
	s.run(effort(t, 300, 12_000))
	expectNoFiles(t)
	s.report()
}

func (s *storm) run(kills int) {
	defer s.killAll() // also if the test fails meanwhile
	for s.kills < kills && !s.t.Failed() {
		s.startAll()
		for range stormRound {
			time.Sleep(time.Duration(rand.IntN(10_000)) * time.Microsecond)
			i := rand.IntN(stormProcesses)
			s.kill(i)
			s.start(i)
		}
		s.killAll()
		s.expectAllDead()
	}
}

func (s *storm) startAll() {
	for i := range s.workers {
		s.start(i)
	}
}

func (s *storm) start(i int) {
	arguments := append([]string{s.file.Name(), strconv.FormatInt(s.started, 10)}, s.names...)
	cmd := inRole("storm", thisBinary(s.t), arguments...)
	succeed(s.t, "Start", cmd.Start())
	s.workers[i] = cmd
	s.started++
}

func (s *storm) kill(i int) {
	cmd := s.workers[i]
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // it may have ended by itself
	err := cmd.Wait()
	switch {
	case err == nil:
		s.left++
	case wasKilled(err):
		s.kills++
	default:
		s.t.Errorf("storm process: %v", err)
	}
	s.workers[i] = nil
}

func (s *storm) killAll() {
	for i := range s.workers {
		s.kill(i)
	}
}

// expectAllDead checks that nothing can be opened that only the dead held, and
// that what takes its name is new.
func (s *storm) expectAllDead() {
	s.residue += len(filesLeft(s.t))
	for _, name := range s.names {
		expectNone(s.t, "Open after all were killed", name, fs.ErrNotExist)
		m, err := filemap.Create(name, 4096, nil)
		succeed(s.t, "Create after all were killed", err)
		v, err := m.View(0, 0)
		succeed(s.t, "View", err)
		expectText(s.t, "new mapping", v, 0, string(make([]byte, 4096)))
		closed(s.t, v)
		if rand.IntN(2) == 0 {
			closed(s.t, m)
			continue
		}
		defer closed(s.t, m)
	}
}

func filesLeft(t *testing.T) []os.DirEntry {
	t.Helper()
	files, err := os.ReadDir(os.Getenv("FILEMAP_DIR"))
	succeed(t, "ReadDir", err)
	return files
}

// expectNoFiles checks that cleaning leaves nothing behind. Where the system
// keeps the objects, there are no files.
func expectNoFiles(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	_, err := inspect.Clean()
	succeed(t, "Clean", err)
	for _, file := range filesLeft(t) {
		t.Errorf("%s is left", file.Name())
	}
}

func (s *storm) report() {
	data, err := os.ReadFile(s.file.Name())
	succeed(s.t, "ReadFile", err)
	var sum counts
	for ; len(data) >= countsSize; data = data[countsSize:] {
		sum.add(data)
	}
	s.t.Logf("figures: kill storm: %d processes, %d kills, %d exits, %d operations: "+
		"%d creates, %d opens, %d of no mapping, %d creates of a live one, %d looks at a held one; "+
		"%d violations; %d files of the dead seen, none left after cleaning",
		s.started, s.kills, s.left, sum[countOps], sum[countCreates], sum[countOpens],
		sum[countMisses], sum[countClashes], sum[countLooks], sum[countViolations], s.residue)
	if sum[countViolations] > 0 {
		s.t.Errorf("%d violations", sum[countViolations])
	}
	if sum[countCreates] == 0 || sum[countOpens] == 0 || sum[countLooks] == 0 {
		s.t.Error("the storm did nothing")
	}
}
