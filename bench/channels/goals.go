package channels

import "slices"

// What the project set itself. Each is for readings of the same round; change
// the name here if another contestant is to be held to it.

// What is read.
var (
	p50 = quantity{"p50", func(b boutResult, _ int) float64 { return b.client.at(50) }}
	p99 = quantity{"p99", func(b boutResult, _ int) float64 { return b.client.at(99) }}

	messages = quantity{"messages/s", func(b boutResult, _ int) float64 { return b.rate() }}
	bytesOf  = quantity{"bytes/s", func(b boutResult, size int) float64 {
		return b.rate() * float64(size)
	}}
	cost = quantity{"time of a message", func(b boutResult, _ int) float64 { return 1 / b.rate() }}

	milliseconds = quantity{"p50 in ms", func(b boutResult, _ int) float64 {
		return b.client.at(50) / 1e6
	}}
	percent = quantity{"% of a processor", func(b boutResult, _ int) float64 {
		return 100 * b.idleShare()
	}}
	allocations = quantity{"allocations of a message", func(b boutResult, _ int) float64 {
		return b.client.allocs() + b.server.allocs()
	}}
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

var targets = slices.Concat([]target{
	{on: trips("filemap Queue, spinning", 64, p50), than: limit(cacheLine), most: 2},
	{
		on:   trips("filemap Queue, spinning", 64, p99),
		than: trips("filemap Queue, spinning", 64, p50), most: 2,
	},
	{on: ways("filemap Queue", 64, messages), than: ways("unix socket", 64, messages), least: 60},
	{
		on:   ways("filemap Queue", 64, messages),
		than: ways("Boost message_queue (C++)", 64, messages), least: 5,
	},
	{
		on:   ways("filemap Queue", 64*kib, bytesOf),
		than: ways("unix socket", 64*kib, bytesOf), least: 8,
	},
	{on: ways("filemap Queue", mib, bytesOf), than: limit(oneCopy), least: 0.8},
	{
		on:   trips("filemap Queue, in place", mib, p50),
		than: trips("filemap Queue, in place", 64, p50), most: 1.3,
	},
	{
		on:   ways("filemap Queue, in place", mib, cost),
		than: ways("filemap Queue, in place", 64, cost), most: 1.3,
	},
	{on: trips("filemap Queue, sleeping", 64, p50), than: trips("raw futex", 64, p50), most: 1.15},
	{on: trips("filemap Queue, sleeping", 64, p50), than: trips("unix socket", 64, p50), most: 1},
	{on: trips("unix socket", 64, p50), than: trips("filemap Conn, spinning", 64, p50), least: 50},
	{on: trips("unix socket", 64, p50), than: trips("filemap Conn", 64, p50), least: 50},
	{on: trips("filemap Conn, sleeping", 64, p50), than: trips("unix socket", 64, p50), most: 1},
	{
		on:   trips("gRPC unary, filemap Conn", 64, messages),
		than: trips("gRPC unary, unix socket", 64, messages), least: 3,
	},
	{
		on:   ways("filemap Conn", 64*kib, bytesOf),
		than: ways("unix socket", 64*kib, bytesOf), least: 3,
	},
	{on: reading{"filemap Conn", task{setup, wordSize}, milliseconds}, most: 1},
	{on: reading{"filemap Queue", task{idle, wordSize}, percent}, most: 1},
	{on: reading{"filemap Conn", task{idle, wordSize}, percent}, most: 1},
}, allocatingNothing("filemap Queue", "filemap Queue, sleeping", "filemap Queue, batches",
	"filemap Queue, in place", "filemap Conn", "filemap Topic, 1 subscriber"))

func trips(contestant string, size int, q quantity) reading {
	return reading{contestant, task{roundTrip, size}, q}
}

func ways(contestant string, size int, q quantity) reading {
	return reading{contestant, task{oneWay, size}, q}
}

func limit(name string) reading { return reading{contestant: name} }

// allocatingNothing has whatever the contestants do be free of allocations, but
// for what Go does on its own account now and then.
func allocatingNothing(contestants ...string) (all []target) {
	const none = 0.05
	for _, name := range contestants {
		for _, does := range []exercise{roundTrip, oneWay} {
			all = append(all, target{on: reading{name, task{does, 64}, allocations}, most: none})
		}
	}
	return all
}
