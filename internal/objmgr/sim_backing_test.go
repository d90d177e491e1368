package objmgr

import "github.com/filemap-go/filemap/object"

// simGrowth is what package kernel does with a file that backs a new mapping.
type simGrowth struct {
	p      *process
	isFull bool // the disk

	fd         FD
	open       bool
	made, grew bool
}

// look returns the file behind a new mapping, and changes nothing.
func (g *simGrowth) look() *File {
	g.p.step()
	if i := g.p.sim.outside; i != nil && i.size >= simSize {
		return &File{Path: simPath, FD: g.openFile()}
	}
	return &File{Path: simPath, Growth: g}
}

func (g *simGrowth) openFile() FD {
	i := g.p.sim.outside
	fd := g.p.add(i.newDescription(g.p, true))
	g.p.seeStat("open outside", simPath, i.stat())
	return fd
}

func (g *simGrowth) Reserve() (FD, error) {
	g.p.step()
	if g.p.sim.outside == nil {
		g.made = true
		g.p.made++
		d := g.p.sim.newFile(g.p, uint64(g.p.id)<<32|g.p.made, private)
		d.links = 1
		g.p.sim.outside = d.inode
		d.close()
	}
	g.fd, g.open = g.openFile(), true
	if g.isFull {
		return 0, g.p.see("reserve", simPath, object.ErrNoSpace)
	}
	return g.fd, g.p.see("reserve", simPath, nil)
}

func (g *simGrowth) Grow() error {
	d := g.p.stepOn(g.fd)
	if d.size < simSize {
		d.size, g.grew = simSize, true
	}
	return g.p.see("grow", simPath, nil)
}

func (g *simGrowth) Undo() {
	if !g.open {
		return
	}
	d := g.p.stepOn(g.fd)
	if g.grew {
		d.size, g.grew = 0, false
	}
	if g.made && d.size == 0 {
		g.p.sim.outside, d.links = nil, 0
	}
	g.p.see("undo", simPath, nil)
	g.p.Close(g.fd)
}
