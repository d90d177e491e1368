// Package test holds the tests that need more than one process, another
// language or another user. It has nothing to import.
package test
