package test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// Nothing half made is ever visible: a process makes an object again and again,
// while this one opens it as soon as it can.

// remoteMaker is that process.
type remoteMaker struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func startMaker(t *testing.T, how, name, file string) *remoteMaker {
	t.Helper()
	cmd := inRole("make", thisBinary(t), how, name, file)
	stdin, err := cmd.StdinPipe()
	succeed(t, "StdinPipe", err)
	stdout, err := cmd.StdoutPipe()
	succeed(t, "StdoutPipe", err)
	succeed(t, "Start", cmd.Start())
	m := &remoteMaker{t, cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		m.stdin.Close()
		_ = m.cmd.Wait() // it may have been killed
	})
	return m
}

// tell has the maker begin, or end, a round of a number.
func (m *remoteMaker) tell(round int) {
	m.t.Helper()
	_, err := fmt.Fprintln(m.stdin, round)
	succeed(m.t, "telling the maker", err)
}

// expect waits for a line from the maker.
func (m *remoteMaker) expect(want string) {
	m.t.Helper()
	if !m.lines.Scan() || m.lines.Text() != want {
		m.t.Fatalf("the maker says %q, want %q, error %v", m.lines.Text(), want, m.lines.Err())
	}
}

// makeObjects makes an object for each line that it reads, and closes it at the
// next one.
func makeObjects(arguments []string) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		round, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		made, err := makesHow[arguments[0]](arguments[1], arguments[2], round)
		if err != nil {
			return err
		}
		if !lines.Scan() {
			return nil // without closing
		}
		if err := made.Close(); err != nil {
			return err
		}
		fmt.Println("closed")
	}
	return nil
}

var makesHow = map[string]func(name, file string, round int) (io.Closer, error){
	"memory": func(name, _ string, round int) (io.Closer, error) {
		return filemap.Create(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round)})
	},
	"sparse memory": func(name, _ string, round int) (io.Closer, error) {
		return filemap.Create(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round), Sparse: true})
	},
	"shared memory": func(name, _ string, round int) (io.Closer, error) {
		return filemap.Create(name, madeSize, &filemap.CreateOptions{
			Init: fillSlowly(round), Security: everybody(object.ShareAll)})
	},
	"either": func(name, _ string, round int) (io.Closer, error) {
		m, created, err := filemap.OpenOrCreate(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round)})
		if err == nil && !created {
			err = errors.New("the mapping was there")
		}
		return m, err
	},
	"file": func(name, file string, round int) (io.Closer, error) {
		return filemap.Create(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round), File: file})
	},
	"growing file": func(name, file string, round int) (io.Closer, error) {
		if err := os.Truncate(file, 0); err != nil {
			return nil, err
		}
		return filemap.Create(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round), File: file})
	},
	"posix": func(name, _ string, round int) (io.Closer, error) {
		m, err := filemap.Create(name, madeSize, &filemap.CreateOptions{Init: fillSlowly(round)})
		return unlinker{m, name}, err
	},
	"timer": func(name, _ string, _ int) (io.Closer, error) {
		return waitable.CreateTimer(name, &waitable.TimerOptions{After: time.Hour})
	},
	"mutex": func(name, _ string, _ int) (io.Closer, error) {
		m, _, err := waitable.CreateLockedMutex(name, nil)
		return m, err
	},
	"single": func(name, _ string, _ int) (io.Closer, error) { return waitable.Single(name, nil) },
	"never": func(name, file string, _ int) (io.Closer, error) {
		return filemap.Create(name, madeSize, &filemap.CreateOptions{File: file, Init: func(*filemap.View) error {
			fmt.Println("init")
			time.Sleep(time.Hour)
			return nil
		}})
	},
}

const madeSize = 64 << 10

// fillSlowly writes a number all over a new mapping, and rests in between.
func fillSlowly(number int) func(*filemap.View) error {
	return func(v *filemap.View) error {
		for at := int64(0); at < madeSize; at += madeSize / 4 {
			time.Sleep(time.Duration(number%4) * 50 * time.Microsecond)
			part := make([]byte, madeSize/4)
			for i := 0; i < len(part); i += 8 {
				binary.LittleEndian.PutUint64(part[i:], uint64(number))
			}
			if _, err := v.WriteAt(part, at); err != nil {
				return err
			}
		}
		return nil
	}
}

// unlinker is a mapping of a POSIX name that goes when it is closed.
type unlinker struct {
	*filemap.Mapping
	name string
}

func (u unlinker) Close() error { return errors.Join(u.Mapping.Close(), filemap.Unlink(u.name)) }

// expectFilled fails the test unless a mapping is full of a number.
func expectFilled(t *testing.T, m *filemap.Mapping, number int) {
	t.Helper()
	v, err := m.View(0, 0)
	succeed(t, "View", err)
	all := make([]byte, v.Len())
	_, err = v.ReadAt(all, 0)
	succeed(t, "ReadAt", err)
	for i := 0; i+8 <= len(all); i += 8 {
		if got := binary.LittleEndian.Uint64(all[i:]); got != uint64(number) {
			t.Fatalf("byte %d of %d: %d, want %d", i, len(all), got, number)
		}
	}
	closed(t, v, m)
}

// onceMade calls open until there is an object.
func onceMade[T any](t *testing.T, open func() (T, error)) T {
	t.Helper()
	for end := time.Now().Add(watchdog); ; {
		got, err := open()
		if err == nil {
			return got
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Now().After(end) {
			t.Fatalf("opening: %v", err)
		}
	}
}

// madeRounds is how often each sort of object is made.
func madeRounds(t *testing.T) int { return effort(t, 100, 300) }

func TestMappingIsMadeWhole(t *testing.T) {
	for _, test := range []struct{ how, base string }{
		{"memory", "X"}, {"sparse memory", "X"}, {"shared memory", `Global\X`}, {"either", "X"},
		{"file", "X"}, {"growing file", "X"}, {"posix", "/X"},
	} {
		t.Run(test.how, func(t *testing.T) {
			if test.how == "posix" {
				linuxOnly(t, "its names with a slash are as all others")
			}
			ns := filemaptest.New(t)
			name, file := ns.Name(test.base), ""
			if strings.Contains(test.how, "file") {
				file = fileOf(t, make([]byte, madeSize))
			}
			p := startMaker(t, test.how, name, file)
			for round := 1; round <= madeRounds(t); round++ {
				p.tell(round)
				expectFilled(t, onceMade(t, opener(t, name, round)), round)
				p.tell(0)
				p.expect("closed")
			}
		})
	}
}

// opener returns one of the ways to open a mapping.
func opener(t *testing.T, name string, round int) func() (*filemap.Mapping, error) {
	if round%2 == 0 {
		return func() (*filemap.Mapping, error) { return filemap.Await(t.Context(), name, nil) }
	}
	return func() (*filemap.Mapping, error) { return filemap.Open(name, nil) }
}

func TestTimerIsMadeSet(t *testing.T) {
	ns := filemaptest.New(t)
	name := ns.Name("T")
	p := startMaker(t, "timer", name, "")
	for round := range madeRounds(t) {
		p.tell(round)
		timer := onceMade(t, func() (*waitable.Timer, error) { return waitable.OpenTimer(name) })
		info, err := inspect.Find(t.Context(), name)
		succeed(t, "Find", err)
		if left := time.Until(info.State.Due); left <= 0 || left > time.Hour {
			t.Fatalf("the timer is due in %v, want an hour", left)
		}
		closed(t, timer)
		p.tell(0)
		p.expect("closed")
	}
}

func TestMutexIsMadeLocked(t *testing.T) {
	for _, how := range []string{"mutex", "single"} {
		t.Run(how, func(t *testing.T) {
			ns := filemaptest.New(t)
			name := ns.Name("M")
			p := startMaker(t, how, name, "")
			for round := range madeRounds(t) {
				p.tell(round)
				m := onceMade(t, func() (*waitable.Mutex, error) { return waitable.OpenMutex(name) })
				if _, locked, err := m.TryLock(); locked || err != nil {
					t.Fatalf("round %d: TryLock = %v, %v, want false", round, locked, err)
				}
				closed(t, m)
				p.tell(0)
				p.expect("closed")
			}
			p.tell(0)
			m := onceMade(t, func() (*waitable.Mutex, error) { return waitable.OpenMutex(name) })
			succeed(t, "Kill", p.cmd.Process.Kill())
			hold, err := m.Lock(patience(t))
			if err != nil || !hold.Abandoned() {
				t.Errorf("after its maker's death: abandoned %v, %v", hold.Abandoned(), err)
			}
			succeed(t, "Unlock", hold.Unlock())
			closed(t, m)
		})
	}
}

// TestMakerKilled kills the creator of a mapping within its Init, while others
// wait for the mapping.
func TestMakerKilled(t *testing.T) {
	for _, kind := range []string{"memory", "file"} {
		t.Run(kind, func(t *testing.T) {
			ns := filemaptest.New(t)
			name, file := ns.Name("X"), ""
			if kind == "file" {
				file = fileOf(t, []byte("short"))
			}
			p := startMaker(t, "never", name, file)
			p.tell(1)
			p.expect("init")
			awaited := startAwait(t.Context(), name)
			opened := make(chan error, 1)
			go func() {
				m, err := filemap.Open(name, nil)
				if err == nil {
					m.Close()
				}
				opened <- err
			}()
			time.Sleep(100 * time.Millisecond) // for both to wait, as far as that matters
			succeed(t, "Kill", p.cmd.Process.Kill())
			expect(t, "Open", take(t, "Open", opened), fs.ErrNotExist)
			expectNone(t, "Open later", name, fs.ErrNotExist)
			m := created(t, name, 100, nil)
			got := take(t, "Await", awaited)
			succeed(t, "Await", got.err)
			if got.mapping.Size() < 100 || got.mapping.Size() > 4096 {
				t.Errorf("Await returns a mapping of %d bytes, want the new one's 100", got.mapping.Size())
			}
			closed(t, got.mapping, m)
			expectEmptyDirectory(t)
		})
	}
}

// expectEmptyDirectory fails the test if there is a file of an object.
func expectEmptyDirectory(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	left, err := filepath.Glob(filepath.Join(os.Getenv("FILEMAP_DIR"), "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, error %v", left, err)
	}
}

// TestOpenWaitsForInit: a call without a context waits for two seconds, one with
// a context until that ends.
func TestOpenWaitsForInit(t *testing.T) {
	ns := filemaptest.New(t)
	name := ns.Name("X")
	p := startMaker(t, "never", name, fileOf(t, []byte("short")))
	p.tell(1)
	p.expect("init")
	expectNone(t, "Open", name, os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := filemap.Await(ctx, name, nil)
	expect(t, "Await", err, context.DeadlineExceeded)
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(p.cmd.Process.Pid)) && runtime.GOOS == "linux" {
		t.Errorf("%v: does not name process %d", err, p.cmd.Process.Pid)
	}
	succeed(t, "Kill", p.cmd.Process.Kill())
}

// TestFailedInit: an Init that fails, in any way, leaves nothing, and is called
// once.
func TestFailedInit(t *testing.T) {
	errMine := errors.New("mine")
	for what, init := range map[string]func() error{
		"an error":              func() error { return errMine },
		"an error as of a name": func() error { return errors.Join(errMine, fs.ErrExist, fs.ErrNotExist) },
		"no space":              func() error { return errors.Join(errMine, object.ErrNoSpace) },
		"a panic":               func() error { panic(errMine) },
		"Goexit":                func() error { runtime.Goexit(); return nil },
	} {
		for _, base := range []string{"X", `Global\X`, ""} {
			for _, content := range []string{"", "short"} {
				t.Run(fmt.Sprintf("%s, %q, %q", what, base, content), func(t *testing.T) {
					ns := filemaptest.New(t)
					opts, calls := &filemap.CreateOptions{}, 0
					opts.Init = func(*filemap.View) error { calls++; return init() }
					if content != "" {
						opts.File = fileOf(t, []byte(content))
					}
					name := base
					if base != "" {
						name = ns.Name(base)
						expect(t, "OpenOrCreate", ended(func() error {
							_, _, err := filemap.OpenOrCreate(name, 5000, opts)
							return err
						}, errMine), errMine)
					}
					expect(t, "Create", ended(func() error {
						_, err := filemap.Create(name, 5000, opts)
						return err
					}, errMine), errMine)
					expectNothingMade(t, name, opts.File, content)
					if calls > 2 || calls == 2 && name == "" {
						t.Errorf("Init was called %d times", calls)
					}
				})
			}
		}
	}
}

// ended returns how a function ends: with its error, with that of its panic, or
// with instead if it ends its goroutine.
func ended(f func() error, instead error) (err error) {
	result := make(chan error, 1)
	go func() {
		err := instead
		defer func() {
			if v := recover(); v != nil {
				err = v.(error)
			}
			result <- err
		}()
		err = f()
	}()
	return <-result
}

// expectNothingMade fails the test if there is anything of a mapping, or its file
// was changed.
func expectNothingMade(t *testing.T, name, file, content string) {
	t.Helper()
	if file != "" {
		if got, err := os.ReadFile(file); err != nil || string(got) != content {
			t.Errorf("the file has %d bytes, error %v", len(got), err)
		}
	}
	expectEmptyDirectory(t)
	if name != "" {
		expectNone(t, "Open", name, fs.ErrNotExist)
		closed(t, created(t, name, 100, nil))
	}
}

// TestInitOfOpenFile fills a file that the caller has open, and that no path leads
// to on Linux.
func TestInitOfOpenFile(t *testing.T) {
	for _, size := range []int64{0, madeSize} { // of the file before
		path := fileOf(t, make([]byte, size))
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		succeed(t, "Open", err)
		closeLater(t, file)
		if runtime.GOOS == "linux" {
			succeed(t, "Remove", os.Remove(path))
			t.Cleanup(func() { succeed(t, "WriteFile", os.WriteFile(path, nil, 0o600)) }) // for fileOf
		}
		errMine := errors.New("mine")
		_, err = filemap.Create("", madeSize, &filemap.CreateOptions{
			OpenFile: file, Init: func(*filemap.View) error { return errMine },
		})
		expect(t, "Create", err, errMine)
		if stat, err := file.Stat(); err != nil || stat.Size() != size {
			t.Errorf("after a failed Init: %v, %v, want %d bytes", stat.Size(), err, size)
		}
		m, err := filemap.Create("", madeSize, &filemap.CreateOptions{OpenFile: file, Init: fillSlowly(7)})
		succeed(t, "Create", err)
		expectFilled(t, m, 7)
	}
}
