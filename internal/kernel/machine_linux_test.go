package kernel

import (
	"errors"
	"strings"
	"testing"
)

func TestMachines(t *testing.T) {
	if err := machineError(true, true); err != nil {
		t.Errorf("a machine that will do: %v", err)
	}
	for text, err := range map[string]error{
		"big-endian":        machineError(false, true),
		"atomic operations": machineError(true, false),
	} {
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), text) {
			t.Errorf("error %v, want errors.ErrUnsupported with the text %q", err, text)
		}
	}
}
