package channel

import "unsafe"

// The sizes are a contract with other processes.
var (
	_ [line]byte     = [unsafe.Sizeof(preamble{})]byte{}
	_ [3 * line]byte = [unsafe.Sizeof(words{})]byte{}
	_ [line]byte     = [unsafe.Sizeof(place{})]byte{}
)
