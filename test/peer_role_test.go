package test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/waitable"
)

// served is what a peer process has open, by name.
type served struct {
	mappings map[string]*filemap.Mapping
	views    map[string]*filemap.View
	mutexes  map[string]*waitable.Mutex
	jobs     map[string]heldJob
	conns    []*net.UnixConn
	dialed   *channel.Conn
}

// servePeer answers requests until there are no more.
func servePeer([]string) error {
	s := &served{
		mappings: make(map[string]*filemap.Mapping),
		views:    make(map[string]*filemap.View),
		mutexes:  make(map[string]*waitable.Mutex),
		jobs:     make(map[string]heldJob),
	}
	decoder, encoder := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var r request
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		data, err := s.serve(r)
		if err := encoder.Encode(reply{data, toRemote(err)}); err != nil {
			return err
		}
	}
}

func (s *served) serve(r request) (data []byte, err error) {
	switch r.Op {
	case "create":
		opts := &filemap.CreateOptions{Access: r.Access, Security: r.Security, File: r.File}
		return nil, s.keep(r.Name)(filemap.Create(r.Name, r.Size, opts))
	case "open":
		return nil, s.keep(r.Name)(filemap.Open(r.Name, &filemap.OpenOptions{Access: r.Access}))
	case "await":
		return nil, s.keep(r.Name)(filemap.Await(context.Background(), r.Name, nil))
	case "find":
		var found inspect.Object
		if found, err = inspect.Find(context.Background(), r.Name); err == nil {
			data, err = json.Marshal(found)
		}
	case "set":
		err = setEvent(r.Name)
	case "keep mutex":
		s.mutexes[r.Name], err = waitable.OpenMutex(r.Name)
	case "lock kept":
		data, err = lockKept(s.mutexes[r.Name])
	case "single":
		_, err = waitable.Single(r.Name, nil)
	case "exists":
		ctx, cancel := deadline()
		defer cancel()
		_, err = waitable.Any(ctx, waitable.Name(r.Name))
	case "lock":
		err = lockForGood(r.Name)
	case "view":
		s.views[r.Name], err = s.mappings[r.Name].View(0, 0)
	case "close":
		err = s.mappings[r.Name].Close()
	case "read":
		data = make([]byte, r.Size)
		_, err = s.views[r.Name].ReadAt(data, r.Offset)
	case "write":
		_, err = s.views[r.Name].WriteAt(r.Data, r.Offset)
	case "link":
		err = os.Link(r.Name, string(r.Data))
	case "job":
		return s.serveJob(r)
	case "read file":
		return os.ReadFile(r.Name)
	case "truncate":
		err = truncateOften(r.Name, r.Size, r.Times)
	default:
		data, err = s.serveUser(r)
	}
	return data, err
}

func (s *served) keep(name string) func(*filemap.Mapping, error) error {
	return func(m *filemap.Mapping, err error) error {
		if err == nil {
			s.mappings[name] = m
		}
		return err
	}
}

// truncateOften cuts a file to nothing and has it grow back, so many times.
func truncateOften(path string, size int64, times int) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	for range times {
		if err := errors.Join(file.Truncate(0), file.Truncate(size)); err != nil {
			return err
		}
	}
	return nil
}

func setEvent(name string) error {
	e, err := waitable.OpenEvent(name)
	if err != nil {
		return err
	}
	return errors.Join(e.Set(), e.Close())
}

// lockForGood locks a mutex that this process never unlocks.
func lockForGood(name string) error {
	m, err := waitable.OpenMutex(name)
	if err != nil {
		return err
	}
	_, err = m.Lock(context.Background())
	return err
}

// lockKept locks a mutex and tells whether it was abandoned.
func lockKept(m *waitable.Mutex) ([]byte, error) {
	hold, err := m.Lock(context.Background())
	if hold.Abandoned() {
		return []byte("abandoned"), err
	}
	return []byte("free"), err
}
