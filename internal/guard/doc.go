// Package guard has the processes that keep a job's members together on Linux,
// where the system has no job objects.
//
// A command that starts in a job without a cgroup is started by two guards, which are
// this program executed again:
//
//	holder -> outer guard -> inner guard -> command -> ...
//
// Both are child subreapers: the system gives each the descendants whose parents
// die, so nothing that the command starts can leave the tree. The inner guard
// sleeps until the last handle to the job is gone, or somebody terminates the job,
// and then kills its descendants until there are none. The outer guard stands for
// the command to the holder: it passes signals on, ends as the command ends, and
// guards in the inner one's place if that is killed.
//
// Where the holder could make a cgroup for the job, the holder itself starts commands
// in that, and the system keeps the members together. The job has two keepers, which
// are outside of it:
//
//	holder -> outer keeper -> inner keeper
//	holder -> command -> ...
//
// The inner keeper sleeps as an inner guard does, and then has the system kill what is
// in the cgroup. The outer one keeps in its place if it is killed.
//
// The hook is this package's init function, so it runs before that of most of the
// program's packages. It imports next to nothing for that reason.
package guard
