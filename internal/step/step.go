//go:build !filemap_steps

// Package step marks the points of an algorithm over shared memory at which
// another process may act, or this one may die. Tests built with the tag
// filemap_steps decide there what happens next; elsewhere it costs nothing.
package step

// Here marks a point.
func Here() {}
