package channels

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"

	"github.com/filemap-go/filemap/bench/measure"
)

//go:embed c/*.hpp
var peerHeaders embed.FS

//go:embed c/boost.cpp
var boostSource string

//go:embed c/zeromq.cpp
var zeromqSource string

//go:embed c/slots.cpp
var slotsSource string

//go:embed c/bytes.cpp
var bytesSource string

// rings are the limits of what a ring in shared memory does, in a hundred lines each.
var rings = []contestant{
	ringPeer(slotRing, "slots", slotsSource),
	ringPeer("slot ring of many (C++)", "many", slotsSource, "-DMANY"),
	ringPeer(byteRing, "bytes", bytesSource),
}

func ringPeer(name, file, source string, flags ...string) contestant {
	return contestant{name: name, isLimit: true, prepare: func() (string, error) {
		return compilePeer(file, source, "atomic", "libstdc++-dev", flags...)
	}}
}

// peerPrograms are contestants in C++. Each is compiled if what it needs is
// there.
var peerPrograms = []contestant{
	boostPeer("Boost message_queue (C++)", "boost"),
	boostPeer("Boost, spinning (C++)", "boost-spinning", "-DSPINNING"),
	{name: "ZeroMQ ipc (C++)", prepare: func() (string, error) {
		return compilePeer("zeromq", zeromqSource, "zmq.h", "libzmq3-dev", "-lzmq")
	}},
}

func boostPeer(name, file string, flags ...string) contestant {
	return contestant{name: name, prepare: func() (string, error) {
		const header = "boost/interprocess/ipc/message_queue.hpp"
		return compilePeer(file, boostSource, header, "libboost-dev", flags...)
	}}
}

// compilePeer returns the path of the program. It needs a compiler, and the
// header of what the program uses, which is in a Debian package.
func compilePeer(file, source, header, debian string, flags ...string) (string, error) {
	if compile("#include <"+header+">", "-fsyntax-only", "-") != nil {
		return "", fmt.Errorf("%w g++ and %s", errNeeds, debian)
	}
	headers, err := fs.Sub(peerHeaders, "c")
	if err != nil {
		return "", err
	}
	include := measure.InDirectory("include-" + file)
	if err := os.CopyFS(include, headers); err != nil {
		return "", err
	}
	program := measure.InDirectory("peer-" + file)
	arguments := []string{"-O2", "-DNDEBUG", "-Wall", "-I", include, "-o", program, "-"}
	return program, compile(source, append(arguments, flags...)...)
}

// compile compiles C++ that it gives the compiler as its input.
func compile(source string, arguments ...string) error {
	compiler := exec.Command("g++", append([]string{"-std=c++17", "-xc++"}, arguments...)...)
	compiler.Stdin = strings.NewReader(source)
	if text, err := compiler.CombinedOutput(); err != nil {
		return fmt.Errorf("g++: %w\n%s", err, text)
	}
	return nil
}
