package machine

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/windows"
)

// Describe describes what the run ran on.
func Describe() string {
	version := windows.RtlGetVersion()
	return fmt.Sprintf("Windows %d.%d.%d, %s, %d processors (%s)", version.MajorVersion,
		version.MinorVersion, version.BuildNumber, runtime.GOARCH, runtime.NumCPU(),
		os.Getenv("PROCESSOR_IDENTIFIER"))
}
