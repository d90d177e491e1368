// Package object is the vocabulary of filemap: the names, kinds, access
// rights, security settings and errors that every other package speaks of.
//
// It holds plain values only. All of it may be used from any goroutine.
package object
