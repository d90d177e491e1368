package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/filemap-go/filemap/job"
	"github.com/filemap-go/filemap/waitable"
)

// program is a command that runs for a while, on both systems: this test binary.
func program() *exec.Cmd {
	cmd := exec.Command(os.Args[0], "1m")
	cmd.Env = append(os.Environ(), roleVariable+"=sleep")
	return cmd
}

// A supervisor whose commands never outlive it: if it is killed, so are they, and
// all that they have started.
func Example_supervisor() {
	servers, err := job.Create("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer servers.Close()
	for range 2 {
		if err := servers.Start(program()); err != nil {
			fmt.Println(err)
			return
		}
	}

	stats, err := servers.Stats()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(stats.Active, "run")
	if err := servers.Terminate(1); err != nil {
		fmt.Println(err)
		return
	}
	if err := servers.Wait(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("none is left")
	// Output:
	// 2 run
	// none is left
}

// A program that runs can be stopped by its name, as by an option --stop, from
// another process.
func Example_stop() {
	app, created, err := job.OpenOrCreate(`Local\Example-App`, nil)
	if err != nil || !created {
		fmt.Println(created, err)
		return
	}
	defer app.Close()
	if err := app.Start(program()); err != nil {
		fmt.Println(err)
		return
	}

	if err := stop(`Local\Example-App`); err != nil { // in another process
		fmt.Println(err)
		return
	}
	pids, _, err := app.Processes()
	fmt.Println(len(pids), err)
	// Output: 0 <nil>
}

// stop ends what runs under a name.
func stop(name string) error {
	app, err := job.Open(name, nil)
	if err != nil {
		return err // errors.Is(err, fs.ErrNotExist): it does not run
	}
	defer app.Close()
	if err := app.Terminate(1); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return app.Wait(ctx)
}

// A build step with a limit on its memory, where the system has that.
func ExampleLimits() {
	build, err := job.Create("", &job.Options{Limits: job.Limits{Memory: 1 << 30}})
	if errors.Is(err, errors.ErrUnsupported) { // Linux
		build, err = job.Create("", nil)
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	defer build.Close()
	step := exec.Command(os.Args[0], "-test.run=^$")
	if err := build.Start(step); err != nil {
		fmt.Println(err)
		return
	}
	if err := step.Wait(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("built")
	// Output: built
}

// A wait for the end of all members, or for an event.
func ExampleJob_Empty() {
	workers, err := job.Create("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer workers.Close()
	enough, err := waitable.CreateEvent("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer enough.Close()
	if err := workers.Start(program()); err != nil {
		fmt.Println(err)
		return
	}
	if err := enough.Set(); err != nil {
		fmt.Println(err)
		return
	}
	got, err := waitable.Any(context.Background(), workers.Empty(), enough)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println([]string{"all have ended", "enough"}[got.Index])
	// Output: enough
}

// What is said of a process number can be asked.
func ExampleJob_Contains() {
	j, err := job.Create("", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer j.Close()
	fmt.Println(j.Contains(os.Getpid()))
	// Output: false <nil>
}
