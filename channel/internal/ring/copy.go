package ring

// pieceMax is how much is copied at once. From 1 MiB on, Go's copy goes around
// the processor's caches, which makes the other process fetch all from memory:
// in pieces, a message of 1 MiB takes half the time.
const pieceMax = 256 << 10

// Copy copies from, which is no longer than to.
func Copy(to, from []byte) {
	for len(from) > pieceMax {
		copy(to, from[:pieceMax])
		to, from = to[pieceMax:], from[pieceMax:]
	}
	copy(to, from)
}

// Append appends a message to a buffer.
func Append(buffer, message []byte) []byte {
	if len(message) <= pieceMax {
		return append(buffer, message...)
	}
	n := len(buffer)
	if need := n + len(message); need > cap(buffer) {
		buffer = append(make([]byte, 0, need), buffer...)
	}
	buffer = buffer[:n+len(message)]
	Copy(buffer[n:], message)
	return buffer
}
