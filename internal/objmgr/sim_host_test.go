package objmgr

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/filemap-go/filemap/object"
)

var _ Host = (*process)(nil)

func (p *process) UID() uint32 { return p.uid }

func (p *process) CreateTemp(mode uint32) (FD, error) {
	p.made++
	fd := p.add(p.sim.newFile(p, uint64(p.id)<<32|p.made, mode))
	return fd, p.see("create temp", p.subject(fd), nil)
}

// Open is one step: nobody notices that a file was looked at, or opened.
func (p *process) Open(name string, check Check) (FD, Stat, error) {
	p.step()
	i, ok := p.sim.names[name]
	if !ok {
		return 0, Stat{}, p.see("open", name, object.ErrNotExist)
	}
	return p.openKnown(i, name, check)
}

func (p *process) openKnown(i *inode, name string, check Check) (FD, Stat, error) {
	stat := i.stat()
	write, err := check(stat)
	if err == nil && !i.permits(p.uid, write) {
		err = object.ErrPermission
	}
	if err != nil {
		return 0, stat, p.see("open", name, err)
	}
	fd := p.add(i.newDescription(p, write))
	return fd, p.seeStat("open", name, stat), nil
}

func (p *process) Reopen(fd FD, write bool) (FD, error) {
	d := p.stepOn(fd)
	if !d.permits(p.uid, write) {
		return 0, p.see("reopen", p.subject(fd), object.ErrPermission)
	}
	own := p.add(d.newDescription(p, write))
	return own, p.see("reopen", p.subject(own), nil)
}

// OpenPath finds the one file that the machine has outside of its directory.
func (p *process) OpenPath(path string, check Check) (FD, Stat, error) {
	p.step()
	if path != simPath || p.sim.outside == nil {
		return 0, Stat{}, p.see("open path", path, object.ErrNotExist)
	}
	return p.openKnown(p.sim.outside, path, check)
}

func (p *process) Close(fd FD) error {
	d := p.file(fd)
	if len(d.bytes) > 0 && d.forks == 0 {
		p.stepOn(fd)
		d.bytes = nil
		p.see("close bytes", p.subject(fd), nil)
	}
	if d.whole != unlocked {
		p.stepOn(fd) // else nobody notices
	}
	p.see("close", p.subject(fd), nil)
	p.sim.changes++
	d.close()
	p.files[fd] = nil
	return nil
}

func (p *process) Link(fd FD, name string) error {
	p.step()
	err := p.sim.link(p.uid, p.files[fd].inode, name)
	if err == nil {
		p.madeLocked(p.files[fd].inode)
	}
	return p.see("link", name, err)
}

func (p *process) Unlink(name string) error {
	p.step()
	return p.see("unlink", name, p.sim.unlink(p.uid, name))
}

func (p *process) Names(_ int64, prefixes ...string) ([]string, int64, error) {
	p.step()
	names := slices.DeleteFunc(p.sim.sorted(), func(name string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
	for _, name := range names {
		p.history.addString(name)
	}
	return names, 0, p.see("names", "", nil)
}

func (p *process) Stat(fd FD) (Stat, error) {
	d := p.stepOn(fd)
	return p.seeStat("stat", p.subject(fd), d.stat()), nil
}

func (p *process) StatName(name string) (Stat, error) {
	p.step()
	i, ok := p.sim.names[name]
	if !ok {
		return Stat{}, p.see("stat name", name, object.ErrNotExist)
	}
	return p.seeStat("stat name", name, i.stat()), nil
}

func (p *process) seeStat(call, subject string, s Stat) Stat {
	p.history.add(s.Ino, uint64(s.Mode), s.Links, uint64(s.Size))
	p.see(call, subject, nil)
	return s
}

func (p *process) Chmod(fd FD, mode uint32) error {
	d := p.stepOn(fd)
	if d.uid != p.uid && p.uid != root {
		return p.see("chmod", p.subject(fd), object.ErrPermission)
	}
	d.mode = d.mode&modeType | mode
	return p.see("chmod", p.subject(fd), nil)
}

func (p *process) Truncate(fd FD, size int64) error {
	d := p.stepOn(fd)
	d.truncate(size)
	return p.see("truncate", p.subject(fd), nil)
}

func (p *process) Allocate(fd FD, offset, length int64) error {
	d := p.stepOn(fd)
	d.size = max(d.size, offset+length)
	return p.see("allocate", p.subject(fd), nil)
}

func (p *process) Free(int64) (int64, string, error) { return math.MaxInt64, "", nil }

func (p *process) ReadAt(fd FD, b []byte, offset int64) (int, error) {
	d := p.stepOn(fd)
	n := copy(b, d.page[min(int(offset), len(d.page)):])
	p.history.addString(string(b[:n]))
	return n, p.see("read", p.subject(fd), nil)
}

func (p *process) WriteAt(fd FD, b []byte, offset int64) error {
	d := p.stepOn(fd)
	d.writeAt(b, offset)
	return p.see("write", p.subject(fd), nil)
}

func (p *process) Attribute(fd FD, name string) string {
	d := p.stepOn(fd)
	p.history.addString(d.notes[name])
	p.see("attribute", p.subject(fd), nil)
	return d.notes[name]
}

func (p *process) SetAttribute(fd FD, name, value string) {
	d := p.stepOn(fd)
	d.notes = maps.Clone(d.notes)
	if d.notes == nil {
		d.notes = make(map[string]string)
	}
	d.notes[name] = value
	p.see("note", p.subject(fd), nil)
}

// TryLock changes a lock in two steps, as flock(2) warns of: in between the
// description has none.
func (p *process) TryLock(fd FD, isExclusive bool) (bool, error) {
	d := p.stepOn(fd)
	if d.whole != unlocked {
		d.whole = unlocked
		p.see("unlock", p.subject(fd), nil)
		p.stepOn(fd)
	}
	call := "lock shared"
	if isExclusive {
		call = "lock"
	}
	return p.seeBool(call, p.subject(fd), d.tryLock(lockFor(isExclusive))), nil
}

func (p *process) TryLockByte(fd FD, pos int64, isExclusive bool) (bool, error) {
	d := p.stepOn(fd)
	return p.seeBool("lock byte", p.subject(fd), d.tryLockByte(pos, lockFor(isExclusive))), nil
}

func (p *process) UnlockByte(fd FD, pos int64) error {
	d := p.stepOn(fd)
	delete(d.bytes, pos)
	return p.see("unlock byte", p.subject(fd), nil)
}

func (p *process) ByteLocked(fd FD, pos int64) (bool, error) {
	d := p.stepOn(fd)
	return p.seeBool("test byte", p.subject(fd), d.othersByte(pos)), nil
}

func (p *process) FirstLocked(fd FD, pos, length int64) (at int64, locked bool, err error) {
	d := p.stepOn(fd)
	at, locked = d.firstLocked(pos, length)
	p.history.add(uint64(at))
	p.seeBool("test bytes", p.subject(fd), locked)
	return at, locked, nil
}

func (p *process) Unlock(fd FD) error {
	d := p.stepOn(fd)
	d.whole = unlocked
	p.sim.changes++
	return p.see("unlock", p.subject(fd), nil)
}

// Holders tells whose the shared locks are.
func (p *process) Holders(_ context.Context, inodes map[uint64][]int) error {
	p.step()
	for _, i := range p.sim.inodes {
		held, wanted := inodes[i.id]
		for _, d := range i.open {
			if wanted && d.whole == shared && !slices.Contains(held, d.owner.id) {
				held = append(held, d.owner.id)
				inodes[i.id] = held
				p.history.add(i.id, uint64(d.owner.id))
			}
		}
	}
	return p.see("holders", "", nil)
}

func (p *process) Shared(_ context.Context, id uint64) (bool, error) {
	p.step()
	found := slices.ContainsFunc(p.sim.inodes, func(i *inode) bool {
		return i.id == id && slices.ContainsFunc(i.open, func(d *description) bool {
			return d.whole == shared
		})
	})
	return p.seeBool("shared", "", found), nil
}

// Watch is not for the simulation: nothing here waits for another process.
func (p *process) Watch(func(string)) (func(), error) { panic("not simulated") }

// EndCgroup ends the cgroup of a job without handles.
func (p *process) EndCgroup(c Cgroup) {
	for _, g := range p.sim.cgroups {
		if g.path == c.Path && !g.removed {
			p.step()
			g.killAll(p)
			p.step()
			g.remove()
		}
	}
}

// Locker tells nothing: it is for the text of errors.
func (p *process) Locker(FileID, int64) Locker { return Locker{} }

// Pause lets others go on: the process has no step before one of them had one.
// It takes so long that a call without a context gives up in the end; one with
// a context ends with that.
func (p *process) Pause(attempt int) time.Duration {
	p.paused = true
	limit := pauseLimit
	if len(p.operation.objects) > 0 {
		limit = contendLimit
	}
	if attempt >= limit {
		p.endWaits(errBusy)
	}
	return busyTime/time.Duration(limit+1) + 1
}

func (p *process) Random() uint64 {
	p.drawn++
	return uint64(p.id+1)<<8 | p.drawn
}
