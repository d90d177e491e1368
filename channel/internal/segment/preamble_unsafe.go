package segment

import (
	"unsafe"

	"github.com/filemap-go/filemap/channel/internal/ring"
)

// The size is a contract with other processes.
var _ [ring.Line]byte = [unsafe.Sizeof(Preamble{})]byte{}
