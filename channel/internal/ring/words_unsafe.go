package ring

import "unsafe"

// The sizes are a contract with other processes.
var (
	_ [3 * Line]byte = [unsafe.Sizeof(Words{})]byte{}
	_ [Line]byte     = [unsafe.Sizeof(Place{})]byte{}
	_ [HandSize]byte = [unsafe.Sizeof(Hand{})]byte{}
)
