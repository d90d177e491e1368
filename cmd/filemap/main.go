// Command filemap makes named file mappings visible and usable from a shell:
// see filemap --help.
package main

import "os"

func main() {
	endOnQuit()
	os.Exit(report(os.Stderr, newRoot().Execute()))
}
