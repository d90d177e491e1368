package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

//go:embed c/peer.hpp
var peerHeader string

//go:embed c/boost.cpp
var boostSource string

//go:embed c/zeromq.cpp
var zeromqSource string

const boostHeader = "boost/interprocess/ipc/message_queue.hpp"

// peerPrograms are contestants in other languages. Each is compiled if what it
// needs is there.
var peerPrograms = []peerProgram{
	{
		name:  "Boost message_queue (C++)",
		build: func() (string, error) { return compilePeer("boost", boostSource, boostHeader) },
		needs: "g++ and libboost-dev",
	},
	{
		name: "Boost, spinning (C++)",
		build: func() (string, error) {
			return compilePeer("boost-spinning", boostSource, boostHeader, "-DSPINNING")
		},
		needs: "g++ and libboost-dev",
	},
	{
		name:  "ZeroMQ ipc (C++)",
		build: func() (string, error) { return compilePeer("zeromq", zeromqSource, "zmq.h", "-lzmq") },
		needs: "g++ and libzmq3-dev",
	},
}

// compilePeer returns the path of the program. The error is exec.ErrNotFound if
// there is no compiler, or not the header of what the program uses. Flags may be
// libraries, too.
func compilePeer(name, source, header string, flags ...string) (string, error) {
	if compile("#include <"+header+">", "-fsyntax-only", "-") != nil {
		return "", exec.ErrNotFound
	}
	if err := os.WriteFile(inDirectory("peer.hpp"), []byte(peerHeader), 0o600); err != nil {
		return "", err
	}
	program := inDirectory("peer-" + name)
	arguments := []string{"-O2", "-DNDEBUG", "-Wall", "-I", directory, "-o", program, "-"}
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
