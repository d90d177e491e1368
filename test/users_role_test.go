package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/handle"
	"github.com/filemap-go/filemap/inspect"
	"github.com/filemap-go/filemap/waitable"
)

// serveUser is serve for what the tests with several users ask for besides.
func (s *served) serveUser(r request) ([]byte, error) {
	switch r.Op {
	case "create mutex":
		m, err := waitable.CreateMutex(r.Name, &waitable.MutexOptions{Security: r.Security})
		s.mutexes[r.Name] = m
		return nil, err
	case "create queue":
		q, err := channel.CreateQueue(r.Name, &channel.QueueOptions{Security: r.Security})
		if err == nil {
			err = q.TrySend([]byte("of " + r.Name))
		}
		return nil, err
	case "open queue":
		_, err := channel.OpenQueue(r.Name, nil)
		return nil, err
	case "dial":
		c, err := channel.Dial(context.Background(), r.Name, nil)
		if err != nil {
			return nil, err
		}
		s.dialed = c
		p, err := c.Peer()
		if err != nil {
			return nil, err
		}
		return json.Marshal(p)
	case "close mutex":
		return nil, s.mutexes[r.Name].Close()
	case "connect":
		conn, err := net.Dial("unix", r.Name)
		if err == nil {
			s.conns = append(s.conns, conn.(*net.UnixConn))
		}
		return nil, err
	case "receive mutex":
		return nil, s.receive(func(f *os.File) (err error) {
			s.mutexes[r.Name], err = waitable.MutexFromFile(f)
			return err
		})
	case "receive mapping":
		return nil, s.receive(func(f *os.File) error { return s.keep(r.Name)(filemap.FromFile(f, nil)) })
	case "truncate received":
		return nil, s.receive(func(f *os.File) error { return f.Truncate(0) })
	case "list":
		_, err := inspect.List(context.Background(), "")
		return nil, err
	case "alias":
		alias, err := s.mappings[r.Name].Alias()
		return []byte(alias), err
	case "rename":
		return nil, os.Rename(r.Name, string(r.Data))
	case "open file to write":
		file, err := os.OpenFile(r.Name, os.O_RDWR, 0)
		if err == nil {
			err = file.Close()
		}
		return nil, err
	}
	return nil, fmt.Errorf("no operation %q", r.Op)
}

// receive makes something of the file that comes next on the last connection.
func (s *served) receive(use func(*os.File) error) error {
	f, err := handle.Receive(s.conns[len(s.conns)-1])
	if err != nil {
		return err
	}
	defer f.Close()
	return use(f)
}
