package test

import (
	"fmt"
	"os"

	"github.com/filemap-go/filemap/channel"
	"github.com/filemap-go/filemap/waitable"
)

// serveUser is serve for what the tests with several users ask for besides.
func (s served) serveUser(r request) ([]byte, error) {
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
	case "close mutex":
		return nil, s.mutexes[r.Name].Close()
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
