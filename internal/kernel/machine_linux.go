package kernel

import (
	"encoding/binary"
	"errors"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// checkMachine returns an error where the processor is not one that processes
// can share objects with. Everything that is made, opened or looked for asks it.
func checkMachine() error {
	littleEndian := binary.NativeEndian.Uint16([]byte{1, 0}) == 1
	return machineError(littleEndian, sys.Atomic64)
}

func machineError(littleEndian, atomic64 bool) error {
	switch {
	case !littleEndian:
		return object.Explain(errors.ErrUnsupported,
			"this is a big-endian machine, and the words of the objects are little-endian")
	case !atomic64:
		return object.Explain(errors.ErrUnsupported,
			"this program has no atomic operations on 64 bits that work between processes"+
				" (MIPS of 32 bits has none; for ARM, build with GOARM=7)")
	}
	return nil
}
