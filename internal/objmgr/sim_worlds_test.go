package objmgr

import "github.com/filemap-go/filemap/object"

const (
	private = 0o600
	public  = 0o666
)

var (
	localX  = object.Name{Base: "x"}
	localY  = object.Name{Base: "y"}
	globalX = object.Name{Scope: object.Global, Base: "x"}
)

// Users. root is one too.
const (
	ann = 1 + iota
	bob
	eve
)

// Scripts.

func creates(p *process)     { p.close(p.create(localX, private)) }
func createsDies(p *process) { p.create(localX, private) }
func opens(p *process)       { p.close(p.open(localX, true)) }
func reads(p *process)       { p.close(p.open(localX, false)) }
func either(p *process)      { p.close(p.openOrCreate(localX, private)) }
func cleans(p *process)      { p.clean() }
func lists(p *process)       { p.list(localX) }
func createsEvent(p *process) {
	p.close(p.createEvent(localX, private))
}

// passes gives its handle to itself, and for a while has an open file only.
func passes(p *process) {
	h := p.create(localX, private)
	exported := p.export(h)
	p.close(h)
	p.close(p.receive(exported, localX))
}

func createsAlias(p *process) {
	h := p.create(localX, private)
	p.alias(h)
	p.close(h)
}

func opensAlias(p *process) {
	h := p.open(localX, true)
	p.alias(h)
	p.close(h)
}

// createsAliasChecks does not close: a stranger's rm, and a new object, may come
// between the look at what a name leads to and its removal. No system call
// does both at once.
func createsAliasChecks(p *process) {
	h := p.create(localX, private)
	p.alias(h, object.ErrNameLost)
	p.check(h)
	p.check(h)
}

func removesX(p *process) { p.remove(p.manager.FileName(localX)) }

func opensY(p *process)   { p.close(p.open(localY, true, object.ErrPermission)) }
func createsY(p *process) { p.close(p.create(localY, private, object.ErrPermission)) }
func linksXToY(p *process) {
	p.link(p.manager.FileName(localX), p.manager.FileName(localY), false)
}

// movesXToY leaves the holders of X without their name.
func movesXToY(p *process) {
	p.link(p.manager.FileName(localX), p.manager.FileName(localY), true)
}

func createsBacked(p *process)     { p.close(p.createBacked(localX, false)) }
func createsBackedFull(p *process) { p.close(p.createBacked(localX, true)) }

func sharesDies(p *process) { p.create(globalX, public) }
func shares(p *process)     { p.close(p.create(globalX, public, object.ErrPermission)) }
func joins(p *process)      { p.close(p.open(globalX, true)) }
func listsGlobal(p *process) {
	p.list(globalX)
}

func views(p *process) {
	h := p.open(globalX, true)
	v := p.view(h)
	p.close(h)
	p.unview(v)
}

// deadX and deadGlobal leave a dead object behind.
var (
	deadX      = []actor{{ann, createsDies}}
	deadGlobal = []actor{{ann, sharesDies}}
)

// smallWorlds are explored to the end.
var smallWorlds = []world{
	{name: "two creators", actors: []actor{{ann, creates}, {ann, creates}}, kills: 2},
	{name: "creator and opener", actors: []actor{{ann, creates}, {ann, opens}}, kills: 2},
	{name: "two of either", actors: []actor{{ann, either}, {ann, either}}, kills: 2},
	{name: "dead object, opener, cleaner", before: deadX, actors: []actor{{ann, opens}, {ann, cleans}}, kills: 2},
	{name: "dead object, opener, lister", before: deadX, actors: []actor{{ann, opens}, {ann, lists}}, kills: 2},
	{name: "dead object, creator, cleaner", before: deadX, actors: []actor{{ann, creates}, {ann, cleans}}, kills: 2},
	{name: "creator and lister", actors: []actor{{ann, creates}, {ann, lists}}, kills: 2},
	{name: "creators of two kinds", actors: []actor{{ann, creates}, {ann, createsEvent}}, kills: 2},
	{name: "a handle that is passed on, creator", actors: []actor{{ann, passes}, {ann, creates}}, kills: 1},
	{name: "a handle that is passed on, opener", actors: []actor{{ann, passes}, {ann, opens}}, kills: 1},
	{name: "a handle that is passed on, cleaner", actors: []actor{{ann, passes}, {ann, cleans}}, kills: 2},
	{name: "alias and cleaner", actors: []actor{{ann, createsAlias}, {ann, cleans}}, kills: 2},
	{name: "two aliases", actors: []actor{{ann, createsAlias}, {ann, opensAlias}}, kills: 1},
	{name: "a lost name", actors: []actor{{ann, createsAliasChecks}, {ann, removesX}}, kills: 1},
	{name: "a lost name and another creator",
		actors: []actor{{ann, createsAliasChecks}, {ann, removesX}, {ann, createsDies}}},
	{name: "a linked name, opener",
		actors: []actor{{ann, creates}, {ann, linksXToY}, {ann, opensY}}, kills: 1},
	{name: "a linked name, creator",
		actors: []actor{{ann, creates}, {ann, linksXToY}, {ann, createsY}}},
	{name: "a moved name, opener",
		actors: []actor{{ann, createsDies}, {ann, movesXToY}, {ann, opensY}}, kills: 1},
	{name: "a dead object's linked name, creator", before: deadX,
		actors: []actor{{ann, linksXToY}, {ann, createsY}, {ann, cleans}}},
	{name: "another's dead object, creator", before: deadGlobal, actors: []actor{{bob, shares}}, kills: 1},
	{name: "another's dead object, creator, its owner's cleaner", before: deadGlobal,
		actors: []actor{{bob, shares}, {ann, cleans}}, kills: 1},
	{name: "another's dead object, creator, lister", before: deadGlobal,
		actors: []actor{{bob, shares}, {eve, listsGlobal}}, kills: 1},
	{name: "two creators of one backed by a file",
		actors: []actor{{ann, createsBacked}, {ann, createsBacked}}, kills: 1},
	{name: "one backed by a file, opener", actors: []actor{{ann, createsBacked}, {ann, opens}}, kills: 2},
	{name: "one backed by a file on a full disk, opener",
		actors: []actor{{ann, createsBackedFull}, {ann, opens}}, kills: 1},
	{name: "one backed by a file, creator of another kind",
		actors: []actor{{ann, createsBacked}, {ann, creates}}, kills: 1},
}

// largeWorlds are too large for that.
var largeWorlds = []world{
	{name: "creator and two openers", actors: []actor{{ann, creates}, {ann, opens}, {ann, reads}}, kills: 2},
	{name: "dead object and two openers", before: deadX, actors: []actor{{ann, opens}, {ann, opens}}, kills: 2},
	{name: "dead object, creator, opener, cleaner", before: deadX,
		actors: []actor{{ann, creates}, {ann, opens}, {ann, cleans}}, kills: 2},
	{name: "another's dead object, two creators", before: deadGlobal,
		actors: []actor{{bob, shares}, {eve, shares}}, kills: 2},
	{name: "another's dead object, creator, its owner", before: deadGlobal,
		actors: []actor{{bob, shares}, {ann, shares}}, kills: 2},
	{name: "another's dead object, creator, opener", before: deadGlobal,
		actors: []actor{{bob, shares}, {eve, joins}}, kills: 2},
	{name: "a view of another's object, creator",
		actors: []actor{{ann, sharesDies}, {bob, views}, {eve, shares}}, kills: 2},
}
