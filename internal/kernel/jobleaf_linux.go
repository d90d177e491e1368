package kernel

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// A limit needs its controller, and the system gives controllers to the cgroups in
// another one only while no processes are in that, the machine's root excepted. So a
// process whose jobs have limits is in a leaf beside the cgroups of its jobs.

// leafName is the name of a leaf. It tells that the cgroup above is there for jobs.
const leafName = "filemap.leaf"

// jobsCgroup returns the directory that this process makes the cgroups of jobs in:
// that of its own, or of the one above if its own is a leaf.
func jobsCgroup() (string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", explainProc(err)
	}
	for _, h := range hierarchies() {
		dirs := h.path(h.group(string(text)))
		switch {
		case h.version != 2 || len(dirs) == 0:
		case len(dirs) > 1 && filepath.Base(dirs[0]) == leafName:
			return dirs[1], nil
		default:
			return dirs[0], nil
		}
	}
	return "", needsCgroup("there is none")
}

// enable has the cgroup get the controller that a file belongs to.
func (g *jobCgroup) enable(file string) error {
	controller, _, _ := strings.Cut(file, ".")
	above, err := g.above()
	if err == nil {
		defer above.dir.Close()
		err = above.provide(controller)
	}
	if err != nil {
		return object.Explain(errors.ErrUnsupported, fmt.Sprintf(
			"this limit needs the controller %s for the cgroups in %s: %v", controller, above.path, err))
	}
	return nil
}

// above opens the cgroup that it is in.
func (g *jobCgroup) above() (*jobCgroup, error) {
	above := &jobCgroup{path: filepath.Dir(g.path)}
	return above, g.use(func(fd int) error {
		dir, err := sys.CgroupAbove(fd)
		if err == nil {
			above.dir = os.NewFile(uintptr(dir), above.path)
		}
		return err
	})
}

// provide has the system give a controller to the cgroups in this one.
func (g *jobCgroup) provide(controller string) error {
	available, err := g.read("cgroup.controllers")
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(available), controller) {
		return errors.New("it does not have that itself; " + cgroupAdvice)
	}
	if err := g.vacate(); err != nil {
		return err
	}
	return g.write("cgroup.subtree_control", "+"+controller)
}

// vacate makes sure that the cgroup has no processes: this one moves into the leaf
// if it is alone.
//
// The system itself would accept the controllers pids and cpu beside processes, and
// then start nothing in the cgroups of the jobs.
func (g *jobCgroup) vacate() error {
	if !g.has("cgroup.type") { // the machine's root
		return nil
	}
	text, err := g.read("cgroup.procs")
	if err != nil {
		return err
	}
	own := strconv.Itoa(os.Getpid())
	switch processes := strings.Fields(text); {
	case len(processes) == 0:
		return nil
	case len(processes) > 1 || processes[0] != own:
		return fmt.Errorf("there are processes in it (%d); start this program alone in it, "+
			"or all of them in a cgroup called %s in it", len(processes), leafName)
	}
	return g.use(func(fd int) error {
		leaf, err := sys.MakeCgroup(fd, leafName)
		if err != nil {
			return err
		}
		defer sys.Close(leaf)
		return sys.WriteCgroup(leaf, "cgroup.procs", own)
	})
}
