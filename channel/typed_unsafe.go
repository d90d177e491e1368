package channel

import "unsafe"

// bytesOf returns the bytes of a value without pointers.
func bytesOf[T any](value *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(value)), unsafe.Sizeof(*value))
}

// valueIn returns the value that is in the bytes of a message, whose length is that
// of the value. Messages lie at multiples of 8.
func valueIn[T any](message []byte) *T {
	return (*T)(unsafe.Pointer(unsafe.SliceData(message)))
}

// sizeOf returns the length of a message that is a T.
func sizeOf[T any]() int {
	var value T
	return int(unsafe.Sizeof(value))
}
