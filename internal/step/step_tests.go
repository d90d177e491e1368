//go:build filemap_steps

package step

// Do is what happens at each point.
var Do = func() {}

// Here marks a point.
func Here() { Do() }
