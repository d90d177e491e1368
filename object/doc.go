// Package object defines the names, kinds, access rights, security settings and
// errors that all other packages of filemap use.
//
// It has plain values only. All of it may be used from any goroutine.
package object
