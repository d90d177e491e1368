package kernel

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/object"
)

// holdVariable makes a process of this test binary a holder of the mapping it
// names, until its input ends.
const holdVariable = "FILEMAP_TEST_HOLD"

func TestMain(m *testing.M) {
	if name := os.Getenv(holdVariable); name != "" {
		os.Exit(holdMapping(object.Name{Base: name}))
	}
	if role := strings.Fields(os.Getenv(roleVariable)); len(role) > 0 {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

func holdMapping(name object.Name) int {
	if _, err := OpenMapping(context.Background(), name, object.ReadOnly); err != nil {
		println(err.Error())
		return 1
	}
	println("ready")
	bufio.NewReader(os.Stdin).ReadByte()
	return 0
}

// startHolder starts such a process; kill ends it at once.
func startHolder(t *testing.T, name object.Name) (pid int, kill func()) {
	t.Helper()
	holder := exec.Command(os.Args[0])
	holder.Env = append(os.Environ(), holdVariable+"="+name.Base)
	input, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := holder.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		holder.Process.Kill()
		holder.Wait()
		input.Close()
	}
	t.Cleanup(kill)
	if line, err := bufio.NewReader(output).ReadString('\n'); strings.TrimSpace(line) != "ready" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	return holder.Process.Pid, kill
}

func TestFindTellsKinds(t *testing.T) {
	event, semaphore, mutex, timer := newName(t), newName(t), newName(t), newName(t)
	makeObject(t, createEvent, event.Base, 0, 0, 0)
	makeObject(t, createSemaphore, semaphore.Base, 0, 1, 2)
	makeObject(t, createMutex, mutex.Base, 0, 0)
	makeObject(t, createWaitableTimer, timer.Base, 0, 0)
	self := []int{os.Getpid()}
	for name, kind := range map[object.Name]object.Kind{
		event: object.Event, semaphore: object.Semaphore, mutex: object.Mutex, timer: object.Timer,
	} {
		info, err := Find(t.Context(), name)
		if err != nil || info.Kind != kind || info.Size != 0 || !slices.Equal(info.Holders, self) {
			t.Errorf("Find(%v) = %+v, %v, want a %v of this process", name, info, err, kind)
		}
	}
	_, err := Find(t.Context(), newName(t))
	wantError(t, "finding nothing", err, object.ErrNotExist)
}

// TestKindsOfOthers: a name that another program gave to a job is taken
// in every respect.
func TestKindsOfOthers(t *testing.T) {
	name := newName(t)
	makeObject(t, createJobObject, name.Base, 0)
	info, err := Find(t.Context(), name)
	if err != nil || info.Kind != object.Job || info.Kind.String() != "job" || info.Denied {
		t.Errorf("Find() = %+v, %v, want a job", info, err)
	}
	if info := listed(t, name); info.Kind != object.Job {
		t.Errorf("List() has %+v, want a job", info)
	}
	_, err = CreateMapping(MappingSpec{Name: name, Size: 1, Context: t.Context()})
	wantError(t, "creating a mapping", err, object.ErrWrongKind)
	_, err = OpenMapping(t.Context(), name, object.ReadOnly)
	wantError(t, "opening a mapping", err, object.ErrWrongKind)
	for _, spec := range syncSpecs() {
		spec.Name = name
		_, err := CreateSync(spec)
		wantError(t, fmt.Sprintf("creating a %v", spec.Kind), err, object.ErrWrongKind)
		_, err = OpenSync(name, spec.Kind)
		wantError(t, fmt.Sprintf("opening a %v", spec.Kind), err, object.ErrWrongKind)
	}
}

// TestForeignKinds: the directory has links, which are of no kind of ours.
func TestForeignKinds(t *testing.T) {
	link := object.Name{Scope: object.Global, Base: "Session"}
	info, err := Find(t.Context(), link)
	if err != nil || info.Kind.Known() || info.Denied {
		t.Errorf("Find(%v) = %+v, %v, want an object of no kind", link, info, err)
	}
	listed(t, link)
}

func TestListTellsHolders(t *testing.T) {
	local, global := newName(t), newName(t)
	global.Scope = object.Global
	create(t, MappingSpec{Name: local, Size: 5000})
	create(t, MappingSpec{Name: global, Size: 4096})
	pid, kill := startHolder(t, local)

	info := listed(t, local)
	slices.Sort(info.Holders)
	want := []int{os.Getpid(), pid}
	slices.Sort(want)
	if info.Size != 8192 || !slices.Equal(info.Holders, want) {
		t.Errorf("List() has %+v, want 8192 bytes and the holders %v", info, want)
	}
	if got := NativeName(local); info.Native != got ||
		!strings.HasSuffix(got, `\BaseNamedObjects\`+local.Base) {
		t.Errorf("Native = %q, want the NT name of %v", info.Native, local)
	}
	if info := listed(t, global); info.Native != `\BaseNamedObjects\`+global.Base {
		t.Errorf("Native = %q for a Global name", info.Native)
	}
	if got, want := filepath.Base(Executable(pid)), filepath.Base(os.Args[0]); got != want {
		t.Errorf("Executable(%d) = %q, want %q", pid, got, want)
	}
	kill()
	if info := listed(t, local); !slices.Equal(info.Holders, []int{os.Getpid()}) {
		t.Errorf("after a kill List() has the holders %v, want this process", info.Holders)
	}
}

// TestKilledHolder: with the last process that holds it an object is gone.
func TestKilledHolder(t *testing.T) {
	name := newName(t)
	m := create(t, MappingSpec{Name: name, Size: 4096})
	_, kill := startHolder(t, name)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, name, object.ReadOnly).Close() // the other process keeps it
	kill()
	_, err := OpenMapping(t.Context(), name, object.ReadOnly)
	wantError(t, "opening what a killed process held", err, object.ErrNotExist)
}

func every(object.Name) bool { return true }

func listed(t *testing.T, name object.Name) Info {
	t.Helper()
	found, err := List(t.Context(), func(n object.Name) bool { return n == name })
	if err != nil || len(found) != 1 || found[0].Name != name {
		t.Fatalf("List() has %+v, %v, want %v", found, err, name)
	}
	return found[0]
}

// TestListOfMany: a directory that takes more than one look to read.
func TestListOfMany(t *testing.T) {
	const count = 1000
	prefix := newName(t).Base + "-"
	for i := range count {
		create(t, MappingSpec{Name: object.Name{Base: prefix + string(rune('a'+i))}, Size: 1})
	}
	all, err := List(t.Context(), every)
	found := 0
	for _, info := range all {
		if strings.HasPrefix(info.Name.Base, prefix) {
			found++
		}
	}
	if err != nil || found != count {
		t.Errorf("List() has %d of %d objects, %v", found, count, err)
	}
}

func TestNoHandleIsLeft(t *testing.T) {
	use := func() {
		name := newName(t)
		m := create(t, MappingSpec{Name: name, File: newFile(t, "content")})
		opened := open(t, name, object.ReadWrite)
		region := mapView(t, m, ViewSpec{Length: 7})
		_, listErr := List(t.Context(), every)
		_, findErr := Find(t.Context(), name)
		_, createErr := CreateMapping(MappingSpec{Name: name, Size: 1, Context: t.Context()})
		if listErr != nil || findErr != nil || !errors.Is(createErr, object.ErrExist) {
			t.Errorf("%v, %v, %v", listErr, findErr, createErr)
		}
		if err := errors.Join(region.Close(), opened.Close(), m.Close()); err != nil {
			t.Error(err)
		}
	}
	use() // what the process opens once and for all
	before := handleCount(t)
	const rounds = 50
	for range rounds {
		use()
	}
	// The runtime may start a thread meanwhile, which has handles too.
	if after := handleCount(t); after >= before+rounds {
		t.Errorf("%d handles became %d in %d rounds", before, after, rounds)
	}
}
