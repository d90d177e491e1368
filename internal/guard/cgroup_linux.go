package guard

import (
	"os"
	"strconv"
	"syscall"

	"github.com/filemap-go/filemap/internal/sys"
)

// A job's cgroup has a cgroup in it for each time that the job was terminated, since
// one that was killed takes no more commands. The name is the value of the word that
// counts, so a guard that kills its own does not hit what was started later.

const noGroup = -1

// openGroup opens the cgroup that the command starts in.
func (g *guard) openGroup() error {
	g.group = noGroup
	if g.Cgroup == "" {
		return nil
	}
	group, err := sys.MakeCgroup(g.cgroup(), strconv.FormatUint(g.Stop, 10))
	if err == nil {
		g.group = group
	}
	if g.Exact {
		return err
	}
	return nil
}

// startCommand starts the command in the job's cgroup. If the system refuses that,
// the guards alone keep it, unless the job is exact. A limit of the cgroup is not
// evaded so.
func (g *guard) startCommand(path string, command []string) (pid int, err error) {
	attributes := syscall.ProcAttr{Env: os.Environ(), Files: g.inherited()}
	if g.group != noGroup {
		attributes.Sys = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: g.group}
		pid, err = syscall.ForkExec(path, command, &attributes)
		if err == nil || g.Exact || err == syscall.EAGAIN || err == syscall.ENOMEM {
			return pid, err
		}
		attributes.Sys = nil
	}
	return syscall.ForkExec(path, command, &attributes)
}

// populated reports whether the cgroup has members. Guards are not in it.
func (g *guard) populated() bool {
	if g.group == noGroup {
		return false
	}
	populated, err := sys.CgroupPopulated(g.group)
	return err == nil && populated
}

func (g *guard) killGroup() {
	if g.group != noGroup {
		_ = sys.KillCgroup(g.group)
	}
}

// awaitGroup returns when the cgroup has no members, or another guard, which looks
// after those that no guard has started.
func (g *guard) awaitGroup() {
	const pause = 250 // ms
	for g.populated() && g.isLast() {
		dead := !g.HasHandle()
		if dead && g.Leave {
			return
		}
		if dead || g.Stopped() {
			g.killGroup()
		}
		sys.AwaitCgroup(g.group, pause)
	}
}

// isLast reports whether there is no other guard, except the outer one, which ends
// with the command. A guard has its own lock given up when it looks, so that of
// several that end at a time one is the last.
func (g *guard) isLast() bool {
	own := g.Byte(os.Getpid())
	g.UnlockByte()
	defer func() { _ = sys.LockByteForProcess(g.Descriptor, own) }()
	const most = 1 << 32 // process numbers
	for begin := g.GuardBytes; begin < g.GuardBytes+most; {
		at, _, locked, err := sys.FirstLockingProcess(g.Descriptor, begin, g.GuardBytes+most-begin)
		if err != nil || !locked {
			return true
		}
		if at != g.Byte(g.outer) {
			return false
		}
		begin = at + 1
	}
	return true
}

// removeGroup removes the cgroup of a job without handles, and the one in it that no
// more commands start in. The system refuses that as long as it has members.
func (g *guard) removeGroup() {
	switch {
	case g.group == noGroup:
	case !g.HasHandle():
		_ = sys.RemoveCgroup(g.cgroup(), g.Cgroup)
	case g.Stopped():
		_ = sys.RemoveCgroup(g.group, strconv.FormatUint(g.Stop, 10))
	}
}
