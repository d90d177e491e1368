package test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/handle"
	"github.com/filemap-go/filemap/object"
	"github.com/filemap-go/filemap/waitable"
)

// kit is what the tests pass on: a mapping, the mutex that guards it, an event of
// each side, and one for when a side has locked the mutex.
type kit struct {
	mapping           *filemap.Mapping
	mutex             *waitable.Mutex
	here, yon, locked *waitable.Event
}

// makeKit makes objects whose names begin so, or unnamed ones.
func makeKit(name string) (x kit, err error) {
	called := func(suffix string) string {
		if name == "" {
			return ""
		}
		return name + suffix
	}
	if x.mapping, err = filemap.Create(called("-mapping"), 4096, nil); err != nil {
		return x, err
	}
	if x.mutex, err = waitable.CreateMutex(called("-mutex"), nil); err != nil {
		return x, err
	}
	if x.here, err = waitable.CreateEvent(called("-here"), nil); err != nil {
		return x, err
	}
	if x.yon, err = waitable.CreateEvent(called("-yon"), nil); err != nil {
		return x, err
	}
	x.locked, err = waitable.CreateEvent(called("-locked"), nil)
	return x, err
}

// files returns what is to be passed on.
func (x kit) files() (all [5]*os.File, err error) {
	if all[0], err = x.mapping.File(filemap.ReadWrite); err != nil {
		return all, err
	}
	if all[1], err = x.mutex.File(); err != nil {
		return all, err
	}
	if all[2], err = x.here.File(); err != nil {
		return all, err
	}
	if all[3], err = x.yon.File(); err != nil {
		return all, err
	}
	all[4], err = x.locked.File()
	return all, err
}

// receiveKit makes objects of files, and closes them.
func receiveKit(files [5]*os.File) (x kit, err error) {
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	if x.mapping, err = filemap.FromFile(files[0], nil); err != nil {
		return x, err
	}
	if x.mutex, err = waitable.MutexFromFile(files[1]); err != nil {
		return x, err
	}
	if x.here, err = waitable.EventFromFile(files[2]); err != nil {
		return x, err
	}
	if x.yon, err = waitable.EventFromFile(files[3]); err != nil {
		return x, err
	}
	x.locked, err = waitable.EventFromFile(files[4])
	return x, err
}

func (x kit) close() error {
	return errors.Join(x.mapping.Close(), x.mutex.Close(), x.here.Close(), x.yon.Close(), x.locked.Close())
}

// meet is what both sides do: lock, write, tell the other side, wait for it.
func (x kit) meet(ctx context.Context, mine, theirs *waitable.Event, at, other int64) error {
	v, err := x.mapping.View(0, 0)
	if err != nil {
		return err
	}
	defer v.Close()
	hold, err := x.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	word, err := v.Word64(at)
	if err == nil {
		err = word.Store(uint64(at) + 1)
	}
	if err = errors.Join(err, hold.Unlock(), mine.Set(), theirs.Wait(ctx)); err != nil {
		return err
	}
	word, err = v.Word64(other)
	if err != nil {
		return err
	}
	if got, err := word.Load(); err != nil || got != uint64(other)+1 {
		return errors.Join(err, errors.New("the other side's word is not there"))
	}
	return nil
}

// giveToChild starts this binary in a role with the objects.
func (x kit) giveToChild(program, role string) (*exec.Cmd, error) {
	cmd := inRole(role, program)
	files, err := x.files()
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		ref, err := handle.Inherit(cmd, f)
		if err != nil {
			return nil, err
		}
		cmd.Args = append(cmd.Args, ref)
	}
	err = cmd.Start()
	for _, f := range files {
		f.Close()
	}
	return cmd, err
}

// useKit is the role of a child that has inherited a kit. It meets its parent,
// locks the mutex, says so and waits for its end.
func useKit(refs []string) error {
	x, err := inheritKit(refs)
	if err != nil {
		return err
	}
	return x.holdAfter(func(ctx context.Context) error { return x.meet(ctx, x.yon, x.here, 8, 0) })
}

// holdAfter locks the mutex once the sides have met, says so and waits for the end of
// this process.
func (x kit) holdAfter(meet func(context.Context) error) error {
	ctx, cancel := deadline()
	defer cancel()
	if err := meet(ctx); err != nil {
		return err
	}
	if _, err := x.mutex.Lock(ctx); err != nil {
		return err
	}
	if err := x.locked.Set(); err != nil {
		return err
	}
	time.Sleep(time.Minute)
	return errors.New("nobody killed this process")
}

// useToldKit is useKit for a process that learns of the objects by its input.
func useToldKit([]string) error {
	refs, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	return useKit(strings.Fields(string(refs)))
}

// giveToForeign is the role of a process that passes objects to a program in
// another language, and kills it when that has locked the mutex.
func giveToForeign(arguments []string) error {
	x, err := makeKit("")
	if err != nil {
		return err
	}
	cmd, err := x.giveToChild(arguments[0], "foreign")
	if err != nil {
		return err
	}
	ctx, cancel := deadline()
	defer cancel()
	if err := errors.Join(x.meet(ctx, x.here, x.yon, 0, 8), x.locked.Wait(ctx), cmd.Process.Kill()); err != nil {
		return err
	}
	hold, err := x.mutex.Lock(ctx)
	if err == nil && !hold.Abandoned() {
		err = errors.New("not told of the program's death")
	}
	return errors.Join(err, hold.Unlock(), x.close())
}

// TestWin32ProgramInherits has a C program inherit objects of a Go program.
func TestWin32ProgramInherits(t *testing.T) {
	w := newWin32(t)
	cmd := inRole("give to foreign", "wine", w.testBinary(), w.c("inherit"))
	output, err := cmd.Output()
	if err != nil {
		t.Errorf("the Go program: %v, %s", err, output)
	}
}

func inheritKit(refs []string) (x kit, err error) {
	var files [5]*os.File
	for i := range files {
		if files[i], err = handle.Open(refs[i]); err != nil {
			return x, err
		}
	}
	if _, err := handle.Open(refs[0]); err == nil && !onWindows {
		return x, errors.New("a descriptor is opened twice")
	}
	return receiveKit(files)
}

// TestChildIsGivenObjects passes named and unnamed objects to a child, which then
// is killed.
func TestChildIsGivenObjects(t *testing.T) {
	for _, name := range []string{"", `Local\Passed`} {
		t.Run("named "+name, func(t *testing.T) {
			namespace := filemaptest.New(t)
			if name != "" {
				name = namespace.Name("Passed")
			}
			x, err := makeKit(name)
			succeed(t, "makeKit", err)
			cmd, err := x.giveToChild(thisBinary(t), "use kit")
			succeed(t, "giveToChild", err)
			defer cmd.Wait()
			defer cmd.Process.Kill()
			x.expectDeathNotice(t, cmd)
			succeed(t, "Close", x.close())
		})
	}
}

// expectDeathNotice meets a process, and kills it when it has locked the mutex.
func (x kit) expectDeathNotice(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	ctx, cancel := deadline()
	defer cancel()
	succeed(t, "meet", x.meet(ctx, x.here, x.yon, 0, 8))
	succeed(t, "Wait", x.locked.Wait(ctx))
	_, locked, err := x.mutex.TryLock()
	if locked || err != nil {
		t.Errorf("TryLock of what the process has locked: %v, %v", locked, err)
	}
	succeed(t, "Kill", cmd.Process.Kill())
	hold, err := x.mutex.Lock(ctx)
	succeed(t, "Lock", err)
	if !hold.Abandoned() {
		t.Error("not told of the process's death")
	}
	succeed(t, "Unlock", hold.Unlock())
}

// beKilled is the role of a parent that passes unnamed objects to a child, meets
// it, locks the mutex and waits for its end.
func beKilled([]string) error {
	x, err := makeKit("")
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err = x.giveToChild(program, "outlive"); err != nil {
		return err
	}
	return x.holdAfter(func(ctx context.Context) error { return x.meet(ctx, x.here, x.yon, 0, 8) })
}

// outlive is the role of its child, which kills its parent when that has locked
// the mutex, and makes a file if it is told.
func outlive(refs []string) error {
	x, err := inheritKit(refs)
	if err != nil {
		return err
	}
	ctx, cancel := deadline()
	defer cancel()
	if err := errors.Join(x.meet(ctx, x.yon, x.here, 8, 0), x.locked.Wait(ctx)); err != nil {
		return err
	}
	parent, err := os.FindProcess(os.Getppid())
	if err != nil {
		return err
	}
	if err := parent.Kill(); err != nil {
		return err
	}
	hold, err := x.mutex.Lock(ctx)
	if err != nil {
		return err
	}
	if !hold.Abandoned() {
		return errors.New("the child is not told of the parent's death")
	}
	if err := errors.Join(hold.Unlock(), x.close()); err != nil {
		return err
	}
	return os.WriteFile(os.Getenv(resultVariable), []byte("well"), 0o600)
}

// resultVariable names the environment variable with a path where a process
// writes that all went well.
const resultVariable = "FILEMAP_TEST_RESULT"

func TestChildOutlivesParent(t *testing.T) {
	filemaptest.New(t)
	result := fileOf(t, nil)
	t.Setenv(resultVariable, result)
	cmd := inRole("be killed", thisBinary(t))
	succeed(t, "Start", cmd.Start())
	if err := cmd.Wait(); !wasKilled(err) {
		t.Errorf("the parent ends with %v", err)
	}
	for range 200 {
		if said, err := os.ReadFile(result); err == nil && string(said) == "well" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the child has not said that all went well")
}

// TestFileKeepsObject has only an exported file keep a named object alive.
func TestFileKeepsObject(t *testing.T) {
	name := filemaptest.New(t).Name("X")
	event, err := waitable.CreateEvent(name, nil)
	succeed(t, "CreateEvent", err)
	f, err := event.File()
	succeed(t, "File", err)
	succeed(t, "Close", event.Close())

	other, err := waitable.OpenEvent(name)
	succeed(t, "OpenEvent of what a file keeps", err)
	succeed(t, "Close", other.Close())
	again, err := waitable.EventFromFile(f)
	succeed(t, "EventFromFile", err)
	if got, want := again.Name(), `Local\`+name; got != want {
		t.Errorf("the received event's name is %q, want %q", got, want)
	}
	succeed(t, "Close", f.Close())
	succeed(t, "Set", again.Set())
	succeed(t, "Close", again.Close())
	_, err = waitable.OpenEvent(name)
	expect(t, "OpenEvent after the last handle", err, fs.ErrNotExist)
}

// TestFileGrantsNoMore: what a file was exported for is all that its receiver can
// do.
func TestFileGrantsNoMore(t *testing.T) {
	for _, name := range []string{"", filemaptest.New(t).Name("X")} {
		m := created(t, name, 4096, nil)
		f, err := m.File(filemap.ReadOnly)
		succeed(t, "File", err)
		defer f.Close()
		_, err = filemap.FromFile(f, nil)
		expect(t, "FromFile for writing", err, fs.ErrPermission)
		reader, err := filemap.FromFile(f, &filemap.OpenOptions{Access: filemap.ReadOnly})
		succeed(t, "FromFile for reading", err)
		if reader.Size() != 4096 || reader.Name() != m.Name() {
			t.Errorf("a reader has %d bytes and the name %q", reader.Size(), reader.Name())
		}
		_, err = reader.File(filemap.ReadWrite)
		expect(t, "File for writing of a reader's", err, fs.ErrPermission)
		succeed(t, "Close", reader.Close())
	}
}

func TestFileOfWrongKind(t *testing.T) {
	filemaptest.New(t)
	m := created(t, "", 4096, nil)
	event, err := waitable.CreateEvent("", nil)
	succeed(t, "CreateEvent", err)
	defer event.Close()
	ofMapping, err := m.File(filemap.ReadWrite)
	succeed(t, "File", err)
	defer ofMapping.Close()
	ofEvent, err := event.File()
	succeed(t, "File", err)
	defer ofEvent.Close()

	_, err = filemap.FromFile(ofEvent, nil)
	expect(t, "FromFile of an event's", err, object.ErrWrongKind)
	_, err = waitable.EventFromFile(ofMapping)
	expect(t, "EventFromFile of a mapping's", err, object.ErrWrongKind)
	_, err = waitable.MutexFromFile(ofEvent)
	expect(t, "MutexFromFile of an event's", err, object.ErrWrongKind)
	_, err = waitable.SemaphoreFromFile(ofEvent)
	expect(t, "SemaphoreFromFile of an event's", err, object.ErrWrongKind)
	_, err = waitable.TimerFromFile(ofEvent)
	expect(t, "TimerFromFile of an event's", err, object.ErrWrongKind)
	_, err = waitable.TimerFromFile(nil)
	expect(t, "TimerFromFile of nil", err, fs.ErrInvalid)

	succeed(t, "Close", ofEvent.Close())
	_, err = waitable.EventFromFile(ofEvent)
	expect(t, "EventFromFile of a closed file", err, os.ErrClosed)
}

// TestFilesOfEachKind passes one of each kind within the process.
func TestFilesOfEachKind(t *testing.T) {
	filemaptest.New(t)
	semaphore, err := waitable.CreateSemaphore("", 1, 2, nil)
	succeed(t, "CreateSemaphore", err)
	defer semaphore.Close()
	timer, err := waitable.CreateTimer("", nil)
	succeed(t, "CreateTimer", err)
	defer timer.Close()

	f, err := semaphore.File()
	succeed(t, "File", err)
	second, err := waitable.SemaphoreFromFile(f)
	succeed(t, "SemaphoreFromFile", err)
	succeed(t, "Close", errors.Join(f.Close()))
	if got, err := second.TryAcquire(); !got || err != nil {
		t.Errorf("TryAcquire: %v, %v", got, err)
	}
	if got, err := semaphore.TryAcquire(); got || err != nil {
		t.Errorf("TryAcquire of what the other handle took: %v, %v", got, err)
	}
	succeed(t, "Close", second.Close())

	f, err = timer.File()
	succeed(t, "File", err)
	alarm, err := waitable.TimerFromFile(f)
	succeed(t, "TimerFromFile", err)
	succeed(t, "SetAfter, Close", errors.Join(f.Close(), alarm.SetAfter(0, 0), alarm.Close()))
	ctx, cancel := deadline()
	defer cancel()
	succeed(t, "Wait", timer.Wait(ctx))
}

// TestMappingOfOpenFile makes mappings of a file that is open already.
func TestMappingOfOpenFile(t *testing.T) {
	name := filemaptest.New(t).Name("X")
	path := fileOf(t, []byte("in the file"))
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	succeed(t, "OpenFile", err)
	defer file.Close()

	m := created(t, name, 8192, &filemap.CreateOptions{OpenFile: file})
	other := opened(t, name, filemap.ReadOnly)
	text := make([]byte, len("in the file"))
	_, err = viewed(t, other, 0, 0).ReadAt(text, 0)
	succeed(t, "ReadAt", err)
	if string(text) != "in the file" {
		t.Errorf("another handle reads %q", text)
	}
	if stat, err := file.Stat(); err != nil || stat.Size() != 8192 {
		t.Errorf("the file has %v bytes, %v", stat.Size(), err)
	}
	unnamed := created(t, "", 0, &filemap.CreateOptions{OpenFile: file})
	_, err = viewed(t, unnamed, 0, 0).WriteAt([]byte("IN"), 0)
	succeed(t, "WriteAt", err)
	_, err = viewed(t, m, 0, 0).ReadAt(text, 0)
	succeed(t, "ReadAt", err)
	if string(text) != "IN the file" {
		t.Errorf("the first handle reads %q", text)
	}
	f, err := unnamed.File(filemap.ReadWrite)
	succeed(t, "File", err)
	received, err := filemap.FromFile(f, nil)
	succeed(t, "FromFile", errors.Join(err, f.Close()))
	defer received.Close()
	if received.Size() != unnamed.Size() {
		t.Errorf("the receiver sees %d bytes of %d", received.Size(), unnamed.Size())
	}

	_, err = filemap.Create("", 0, &filemap.CreateOptions{OpenFile: file, File: path})
	expect(t, "Create of two files", err, fs.ErrInvalid)
	reader, err := os.Open(path)
	succeed(t, "Open", err)
	defer reader.Close()
	_, err = filemap.Create("", 0, &filemap.CreateOptions{OpenFile: reader})
	expect(t, "Create for writing of a reader's file", err, fs.ErrPermission)
	_, err = filemap.Create("", 1<<20, &filemap.CreateOptions{OpenFile: reader, Access: filemap.ReadOnly})
	expect(t, "Create that would grow a reader's file", err, object.ErrNoSpace)
}
