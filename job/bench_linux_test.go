package job_test

import (
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/filemap-go/filemap/job"
)

// benchBothWays runs a benchmark of jobs under guards alone, and of jobs with a
// cgroup.
func benchBothWays(b *testing.B, bench func(*testing.B)) {
	b.Run("guards", func(b *testing.B) {
		b.Setenv(cgroupVariable, "off")
		bench(b)
	})
	b.Run("cgroup", func(b *testing.B) {
		needsCgroup(b)
		bench(b)
	})
}

// measure reports the median and the 99th percentile of what timed returns.
func measure(b *testing.B, timed func() time.Duration) {
	var all []time.Duration
	for b.Loop() {
		all = append(all, timed())
	}
	slices.Sort(all)
	inMilliseconds := func(share int) float64 {
		return all[(len(all)-1)*share/100].Seconds() * 1e3
	}
	b.ReportMetric(inMilliseconds(50), "p50-ms")
	b.ReportMetric(inMilliseconds(99), "p99-ms")
}

// BenchmarkStart is what it takes until a command runs.
func BenchmarkStart(b *testing.B) {
	timed := func(start func(*exec.Cmd) error) time.Duration {
		cmd := exec.Command("true")
		begun := time.Now()
		if err := start(cmd); err != nil {
			b.Fatal(err)
		}
		took := time.Since(begun)
		_ = cmd.Wait()
		return took
	}
	b.Run("without a job", func(b *testing.B) {
		measure(b, func() time.Duration { return timed((*exec.Cmd).Start) })
	})
	benchBothWays(b, func(b *testing.B) {
		j := create(b, "", nil)
		measure(b, func() time.Duration { return timed(j.Start) })
	})
}

// BenchmarkTerminate is the end of a hundred processes.
func BenchmarkTerminate(b *testing.B) {
	const members = 100
	b.Run("without a job", func(b *testing.B) {
		measure(b, func() time.Duration {
			var all []*exec.Cmd
			for range members {
				cmd := exec.Command("sleep", "1000")
				if err := cmd.Start(); err != nil {
					b.Fatal(err)
				}
				all = append(all, cmd)
			}
			begun := time.Now()
			for _, cmd := range all {
				_ = cmd.Process.Signal(syscall.SIGKILL)
			}
			for _, cmd := range all {
				_ = cmd.Wait()
			}
			return time.Since(begun)
		})
	})
	benchBothWays(b, func(b *testing.B) {
		j := create(b, "", nil)
		measure(b, func() time.Duration {
			cmd := startMany(b, j, members)
			begun := time.Now()
			if err := j.Terminate(1); err != nil {
				b.Fatal(err)
			}
			if err := j.Wait(b.Context()); err != nil {
				b.Fatal(err)
			}
			took := time.Since(begun)
			_ = cmd.Wait()
			return took
		})
	})
}

// startMany starts one command in a job that has others as its children, and
// returns when they run.
func startMany(b *testing.B, j *job.Job, members int) *exec.Cmd {
	s := newSleeper()
	cmd := exec.Command("sh", "-c", `i=1; while [ $i -lt $0 ]; do sleep $1 & i=$((i+1)); done; exec sleep $1`,
		strconv.Itoa(members), string(s))
	start(b, j, cmd)
	s.expect(b, members)
	return cmd
}

// BenchmarkProcesses is the list of a thousand members.
func BenchmarkProcesses(b *testing.B) {
	const members = 1000
	benchBothWays(b, func(b *testing.B) {
		j := create(b, "", nil)
		startMany(b, j, members)
		measure(b, func() time.Duration {
			begun := time.Now()
			pids, _, err := j.Processes()
			if err != nil || len(pids) != members {
				b.Fatalf("%d members, %v", len(pids), err)
			}
			return time.Since(begun)
		})
	})
}
