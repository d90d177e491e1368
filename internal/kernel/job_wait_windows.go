package kernel

import (
	"context"
	"slices"
	"time"

	"github.com/filemap-go/filemap/internal/sys"
	"github.com/filemap-go/filemap/object"
)

// The system signals a job's handle when the job is terminated, not when it is
// empty, and tells of that a single completion port in all processes. So a wait
// for the members' end waits for one after the other.

// memberPause is the time between looks at members that can't be waited for.
const memberPause = 50 * time.Millisecond

// Empty implements the contract.
func (j *Job) Empty() (bool, error) {
	pids, _, err := j.Processes()
	return err == nil && len(pids) == 0, err
}

// Wait implements the contract.
func (j *Job) Wait(ctx context.Context) error {
	ctx, stop := endWithClose(ctx, []*Sync{j.Sync})
	defer stop()
	for {
		ended := ctx.Err() != nil // before the look
		pids, _, err := j.Processes()
		if err != nil || len(pids) == 0 {
			return err
		}
		if ended {
			return context.Cause(ctx)
		}
		if err := j.waitForOne(ctx, pids); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// waitForOne waits for the end of one of the members. It gives up where none can be
// waited for: they have just ended, or this user may not open them.
func (j *Job) waitForOne(ctx context.Context, pids []int) error {
	for _, pid := range pids {
		member, err := j.openMember(pid)
		if err != nil {
			continue
		}
		_, err = member.Wait(ctx)
		member.Close()
		return err
	}
	select {
	case <-time.After(memberPause):
	case <-ctx.Done():
	}
	return nil
}

// openMember opens a member, to wait for its end. Its number may be that of
// another process by now, and can't change hands once the process is open: so the
// members are looked at again.
func (j *Job) openMember(pid int) (*Sync, error) {
	handle, err := sys.OpenProcess(sys.SYNCHRONIZE, pid)
	if err != nil {
		return nil, explain(err)
	}
	pids, _, err := j.Processes()
	if err == nil && !slices.Contains(pids, pid) {
		err = object.ErrNotExist
	}
	if err != nil {
		sys.CloseHandle(handle)
		return nil, err
	}
	return newSync(object.Name{}, 0, handle, sys.SYNCHRONIZE), nil
}
