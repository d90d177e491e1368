//go:build !linux

package job_test

// isolateCgroup has nothing to do: only Linux has cgroups.
func isolateCgroup() (leave func() error) { return func() error { return nil } }
