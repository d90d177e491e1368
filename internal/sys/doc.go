// Package sys is the calls to the operating system that filemap needs, one
// function a call, without policy. It is the only package that imports
// golang.org/x/sys.
package sys
