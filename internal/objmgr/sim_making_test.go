package objmgr

import (
	"errors"

	"github.com/filemap-go/filemap/internal/layout"
	"github.com/filemap-go/filemap/object"
)

// What creators do with an object before others may open it. The oracle objects
// when an opener finds a mapping without its creator's content, or a mutex that
// its creator has not locked yet.

// content is what a process fills its mappings with.
func (p *process) content() string { return string(rune('A' + p.id)) }

func (p *process) fill(m *Mapping) error {
	return p.manager.host.WriteAt(m.MapFD(), []byte(p.content()), 0)
}

func (p *process) createFilled(name object.Name, mode uint32, may ...error) *handle {
	return p.createMapping(MappingSpec{Name: name, Mode: mode, Init: p.fill}, may...)
}

// expectContent looks at what a handle's creator has filled it with.
func (p *process) expectContent(h *handle) {
	if h == nil {
		return
	}
	got := make([]byte, 1)
	err := p.attempt(operation{verb: "read"}, func() error {
		_, err := p.manager.host.ReadAt(h.mapping.MapFD(), got, 0)
		return err
	})
	if want := h.object.maker.content(); err == nil && string(got) != want {
		p.sim.fail(p, "opened a mapping with %q, its creator writes %q", got, want)
	}
	p.end(err, nil)
}

// mutexM is made locked.
var mutexM = object.Name{Base: "made"}

// createLocked makes a mutex that the process has locked, or returns nil.
func (p *process) createLocked() (s *Sync, got Taken) {
	p.locksWhatItMakes = true
	err := p.attempt(operation{verb: "create", file: p.manager.FileName(mutexM)}, func() (err error) {
		s, got, err = p.manager.CreateLocked(SyncSpec{Name: mutexM, Kind: object.Mutex, Mode: private})
		return err
	})
	p.locksWhatItMakes = false
	p.endSync(s, err)
	return s, got
}

// madeLocked tells the oracle of a mutex that has just got its name.
func (p *process) madeLocked(i *inode) {
	if p.locksWhatItMakes {
		p.sim.guards[i] = &guard{permits: 1, holders: map[*process]int{p: 1}}
	}
}

// openMutex opens that mutex, or returns nil.
func (p *process) openMutex() (s *Sync) {
	err := p.attempt(operation{verb: "open", file: p.manager.FileName(mutexM)}, func() (err error) {
		s, err = p.manager.OpenSync(mutexM, object.Mutex)
		return err
	})
	p.endSync(s, err)
	return s
}

func (p *process) endSync(s *Sync, err error) {
	if err != nil {
		p.end(err, nil)
		return
	}
	p.end(nil, &handle{
		mapping: &Mapping{Object: s.Object, Size: layout.ControlSize},
		file:    p.operation.file, object: p.files[s.fd].life(),
	})
}

// Scripts.

func createsFilled(p *process) { p.close(p.createFilled(localX, private)) }

func opensFilled(p *process) {
	h := p.open(localX, false)
	p.expectContent(h)
	p.close(h)
}

// createsFailing has an Init that fails.
func createsFailing(p *process) {
	failing := func(*Mapping) error { return errInit }
	if h := p.createMapping(MappingSpec{Name: localX, Mode: private, Init: failing}, errInit); h != nil {
		p.sim.fail(p, "made a mapping although its Init failed")
	}
}

var errInit = errors.New("init failed")

func createsFilledBacked(p *process) {
	p.close(p.createBackedBy(&simGrowth{p: p}, localX, p.fill))
}

func sharesFilled(p *process) { p.close(p.createFilled(globalX, public, object.ErrPermission)) }

func joinsFilled(p *process) {
	h := p.open(globalX, false)
	p.expectContent(h)
	p.close(h)
}

func makesLocked(p *process) {
	if s, got := p.createLocked(); s != nil {
		p.unlock(s, got)
	}
}

func locksMade(p *process) {
	if s := p.openMutex(); s != nil {
		p.unlock(s, p.lock(s))
	}
}

// makingWorlds are explored to the end.
var makingWorlds = []world{
	{name: "one that is filled, opener", actors: []actor{{ann, createsFilled}, {ann, opensFilled}}, kills: 2},
	{name: "one whose filling fails, opener",
		actors: []actor{{ann, createsFailing}, {ann, opensFilled}}, kills: 1},
	{name: "one that is filled, backed by a file, opener",
		actors: []actor{{ann, createsFilledBacked}, {ann, opensFilled}}, kills: 2},
	{name: "one that is made locked, opener", robust: true, kills: 1,
		actors: []actor{{ann, makesLocked}, {ann, locksMade}}},
}

// largeMakingWorlds are too large for that.
var largeMakingWorlds = []world{
	{name: "two fill, opener",
		actors: []actor{{ann, createsFilled}, {ann, createsFilled}, {ann, opensFilled}}, kills: 2},
	{name: "another's dead object, filled anew, opener", before: deadGlobal,
		actors: []actor{{bob, sharesFilled}, {eve, joinsFilled}}, kills: 2},
	{name: "two fill the file that backs theirs, opener", kills: 1,
		actors: []actor{{ann, createsFilledBacked}, {ann, createsFilledBacked}, {ann, opensFilled}}},
	{name: "two make it locked, opener", robust: true, kills: 2,
		actors: []actor{{ann, makesLocked}, {ann, makesLocked}, {ann, locksMade}}},
}

// hasty gives a file its name before the content.
type hasty struct {
	*process
	late map[FD][]byte
}

func (h hasty) WriteAt(fd FD, b []byte, offset int64) error {
	if len(b) == 1 && h.files[fd].links == 0 {
		h.late[fd] = b
		return nil
	}
	return h.process.WriteAt(fd, b, offset)
}

func (h hasty) Link(fd FD, name string) error {
	err := h.process.Link(fd, name)
	if late, ok := h.late[fd]; err == nil && ok {
		err = h.process.WriteAt(fd, late, 0)
	}
	return err
}
