package main

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/windows"
)

// machine describes what the run ran on.
func machine() string {
	version := windows.RtlGetVersion()
	return fmt.Sprintf("Windows %d.%d.%d, %s, %d processors (%s)", version.MajorVersion,
		version.MinorVersion, version.BuildNumber, runtime.GOARCH, runtime.NumCPU(),
		os.Getenv("PROCESSOR_IDENTIFIER"))
}
