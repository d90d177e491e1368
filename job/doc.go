// Package job keeps processes together: what a command starts, and what that
// starts in turn, is a member of the command's job, and the members live and die
// together. A job has a name, so any process can list its members, wait for their
// end, or end them, without knowing a process number.
//
// By default the members are killed when the last handle to the job is gone, also
// if its holders were killed. So a program that starts its commands in a job leaves
// none of them behind.
//
// On Windows jobs are the system's job objects. See CreateJobObject of Win32.
//
// # Linux notes
//
// Where this process can make a cgroup in its own, as root, in a systemd unit with
// Delegate=yes, or in a container with a writable cgroup, the members are in that, and
// two further processes for each job, its keepers, kill them when the job ends: see
// [Job.Exact]. Limits ask for more: see [Limits]. Elsewhere two processes for each
// command, its guards, start it and keep its descendants together.
//
// Guards and keepers are the program itself, executed again. They work in a hook that
// runs before main, and before the init functions of most packages; functions of
// packages with few imports can run before it. docs/semantics.md says what follows
// from that, and what can leave a job.
//
// A process that asks another one, such as a daemon, to start a program has not
// started it: that program is not a member, on both systems.
package job
