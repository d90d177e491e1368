//go:build !linux && !windows

package kernel

import (
	"context"
	"os"

	"github.com/filemap-go/filemap/object"
)

// hold does not exist here, nor does Sync.
type hold struct{}

// Sync does not exist here.
type Sync struct{}

func (*Sync) TryLock() (Taken, bool)                { return Taken{}, false }
func (*Sync) Wait(context.Context) (Taken, error)   { return Taken{}, errOther }
func (*Sync) TryWait() (Taken, bool, error)         { return Taken{}, false, errOther }
func (*Sync) Unlock(Taken) error                    { return errOther }
func (*Sync) Relock(Taken) error                    { return errOther }
func (*Sync) SetEvent() error                       { return errOther }
func (*Sync) ResetEvent() error                     { return errOther }
func (*Sync) PulseEvent() error                     { return errOther }
func (*Sync) ReleaseSemaphore(int32) (int32, error) { return 0, errOther }
func (*Sync) SetTimer(Schedule) error               { return errOther }
func (*Sync) CancelTimer() error                    { return errOther }
func (*Sync) Check() error                          { return errOther }
func (*Sync) SpotCheck() error                      { return errOther }
func (*Sync) Close() error                          { return errOther }

func (*Sync) Export() (*os.File, error) { return nil, errOther }

func CreateSync(SyncSpec) (*Sync, error)               { return nil, errOther }
func CreateLocked(SyncSpec) (*Sync, Taken, error)      { return nil, Taken{}, errOther }
func OpenSync(object.Name, object.Kind) (*Sync, error) { return nil, errOther }
func ReceiveSync(*os.File, object.Kind) (*Sync, object.Name, error) {
	return nil, object.Name{}, errOther
}

func WaitAny(context.Context, []*Sync) (int, Taken, error) { return 0, Taken{}, errOther }
func WaitAll(context.Context, []*Sync) ([]Taken, error)    { return nil, errOther }
