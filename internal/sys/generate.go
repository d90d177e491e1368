package sys

//go:generate go run golang.org/x/sys/windows/mkwinsyscall -output zsyscall_unsafe_windows.go syscall_windows.go sync_syscall_windows.go
