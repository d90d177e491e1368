package main

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"
)

// The sample's message is in UTF-16, little-endian, with a NUL at its end.

const (
	sampleName    = `Local\SampleMap`
	sampleMessage = "Message from the first process."
	sampleSize    = 64 << 10
	sampleView    = 1 << 10
)

// encodeMessage returns a message as it stands in a view of room bytes.
func encodeMessage(text string, room int64) ([]byte, error) {
	units := append(utf16.Encode([]rune(text)), 0)
	if need := int64(2 * len(units)); need > room {
		return nil, fmt.Errorf("the message takes %d bytes, and the view has %d", need, room)
	}
	data := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data, nil
}

// decodeMessage returns the message that a view's bytes begin with.
func decodeMessage(data []byte) string {
	var units []uint16
	for ; len(data) >= 2; data = data[2:] {
		unit := binary.LittleEndian.Uint16(data)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}
