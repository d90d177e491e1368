package objmgr

// Scripts on the state of objects.

func locks(p *process) {
	m := p.mutex("m")
	p.unlock(m, p.lock(m))
}

func locksTwice(p *process) {
	m := p.mutex("m")
	p.unlock(m, p.lock(m))
	p.unlock(m, p.lock(m))
}

// elsewhere has a script run in another PID namespace, where the process has
// the number that the first one has in its own.
func elsewhere(script func(*process)) func(*process) {
	return func(p *process) {
		p.owner, p.namespace = 1, 2
		script(p)
	}
}

func acquires(count uint32, tracked bool) func(*process) {
	return func(p *process) {
		s := p.semaphore("s", count, tracked)
		p.acquire(s)
		p.release(s)
	}
}

func locksBoth(first, second string) func(*process) {
	return func(p *process) {
		a, b := p.mutex(first), p.mutex(second)
		if got := p.lockAll(a, b); len(got) == 2 {
			p.unlock(a, got[0])
			p.unlock(b, got[1])
		}
	}
}

func serves(p *process) {
	a, b := p.event("a"), p.event("b")
	p.set(a)
	p.await(b)
}

func returns(p *process) {
	a, b := p.event("a"), p.event("b")
	p.await(a)
	p.set(b)
}

// sets signals an event, and ends the waits of others after that.
func sets(name string) func(*process) {
	return func(p *process) {
		e := p.event(name)
		p.set(e)
		p.endOthers()
	}
}

// signaled has a script begin with an event signaled.
func signaled(name string, script func(*process)) func(*process) {
	return func(p *process) {
		e := p.event(name)
		p.quiet = true
		_ = e.SetEvent()
		p.quiet = false
		script(p)
	}
}

func awaits(names ...string) func(*process) {
	return func(p *process) {
		p.waits = ending{p.waits, p}
		var events []*Sync
		for _, name := range names {
			events = append(events, p.event(name))
		}
		if len(events) == 1 {
			p.await(events[0])
		} else {
			p.awaitAll(events...)
		}
	}
}

// smallSyncWorlds are explored to the end.
var smallSyncWorlds = []world{
	{name: "two lock", actors: []actor{{ann, locks}, {ann, locks}}, kills: 2, robust: true},
	{name: "two lock twice", actors: []actor{{ann, locksTwice}, {ann, locks}}, kills: 1, robust: true},
	{name: "two lock in two PID namespaces", kills: 1, robust: true,
		actors: []actor{{ann, locks}, {ann, elsewhere(locks)}}},
	{name: "two want one permit",
		actors: []actor{{ann, acquires(1, false)}, {ann, acquires(1, false)}}},
	{name: "two want both of two mutexes", robust: true,
		actors: []actor{{ann, locksBoth("a", "b")}, {ann, locksBoth("b", "a")}}},
	{name: "an event before the end", actors: []actor{{ann, sets("a")}, {ann, awaits("a")}}},
	{name: "an event before the end of a wait for both",
		actors: []actor{{ann, sets("a")}, {ann, signaled("b", awaits("a", "b"))}}},
	{name: "an event to and fro", actors: []actor{{ann, serves}, {ann, returns}}},
}

// largeSyncWorlds are too large for that.
var largeSyncWorlds = []world{
	{name: "three lock", kills: 2, robust: true,
		actors: []actor{{ann, locksTwice}, {ann, locksTwice}, {ann, locks}}},
	{name: "three lock in two PID namespaces", kills: 2, robust: true,
		actors: []actor{{ann, locks}, {ann, elsewhere(locks)}, {ann, locks}}},
	{name: "three want two permits",
		actors: []actor{{ann, acquires(2, false)}, {ann, acquires(2, false)}, {ann, acquires(2, false)}}},
	{name: "two want one tracked permit", kills: 2, robust: true,
		actors: []actor{{ann, acquires(1, true)}, {ann, acquires(1, true)}}},
	{name: "three want two tracked permits", kills: 2, robust: true,
		actors: []actor{{ann, acquires(2, true)}, {ann, acquires(2, true)}, {ann, acquires(2, true)}}},
	{name: "three philosophers", kills: 2, robust: true, actors: []actor{
		{ann, locksBoth("a", "b")}, {ann, locksBoth("b", "c")}, {ann, locksBoth("c", "a")}}},
}
