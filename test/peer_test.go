package test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/filemap-go/filemap"
	"github.com/filemap-go/filemap/object"
)

// peer is another process that does with mappings what its methods say, and
// has the errors it met come back as if it had been this process.
type peer struct {
	t       testing.TB
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	encoder *json.Encoder
	decoder *json.Decoder
	ended   bool
}

// request is one line to a peer. It has one mapping and one view a name.
type request struct {
	Op       string
	Name     string
	Size     int64
	Access   filemap.Access
	Security *filemap.Security
	File     string
	Offset   int64
	Data     []byte
	Times    int
}

// reply is what it answers.
type reply struct {
	Data  []byte
	Error *remoteError
}

// remoteError is an error of another process.
type remoteError struct {
	Text   string
	Causes []int // indices in causes
}

// causes are the errors that tests ask for.
var causes = []error{
	fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, os.ErrClosed, os.ErrDeadlineExceeded,
	object.ErrInvalidName, object.ErrWrongKind, object.ErrRange, object.ErrNoSpace,
	object.ErrFault, object.ErrNameLost, object.ErrCorrupt, object.ErrVersion,
}

func toRemote(err error) *remoteError {
	if err == nil {
		return nil
	}
	remote := &remoteError{Text: err.Error()}
	for i, cause := range causes {
		if errors.Is(err, cause) {
			remote.Causes = append(remote.Causes, i)
		}
	}
	return remote
}

func (e *remoteError) Error() string { return "peer: " + e.Text }

func (e *remoteError) Is(target error) bool {
	for _, i := range e.Causes {
		if causes[i] == target {
			return true
		}
	}
	return false
}

// startPeer starts a process that lives until the test ends.
func startPeer(t testing.TB) *peer {
	t.Helper()
	return startPeerAs(t, inRole("peer", thisBinary(t)))
}

func startPeerAs(t testing.TB, cmd *exec.Cmd) *peer {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{
		t: t, cmd: cmd, stdin: stdin,
		encoder: json.NewEncoder(stdin), decoder: json.NewDecoder(stdout),
	}
	t.Cleanup(p.exit)
	return p
}

// exit has the process end without closing what it holds.
func (p *peer) exit() {
	if !p.ended {
		p.stdin.Close()
		p.wait()
	}
}

// kill ends the process as kill -9 does.
func (p *peer) kill() {
	p.t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Fatal(err)
	}
	p.wait()
}

func (p *peer) wait() {
	p.ended = true
	_ = p.cmd.Wait() // how it ended is what the test is about
}

func (p *peer) begin(r request) {
	p.t.Helper()
	if err := p.encoder.Encode(r); err != nil {
		p.t.Fatalf("peer: %v", err)
	}
}

func (p *peer) finish() ([]byte, error) {
	p.t.Helper()
	var answer reply
	if err := p.decoder.Decode(&answer); err != nil {
		p.t.Fatalf("peer: %v", err)
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Data, nil
}

func (p *peer) do(r request) ([]byte, error) {
	p.t.Helper()
	p.begin(r)
	return p.finish()
}

func (p *peer) create(name string, size int64, security *filemap.Security) error {
	p.t.Helper()
	_, err := p.do(request{Op: "create", Name: name, Size: size, Security: security})
	return err
}

func (p *peer) open(name string, access filemap.Access) error {
	p.t.Helper()
	_, err := p.do(request{Op: "open", Name: name, Access: access})
	return err
}

func (p *peer) view(name string) error {
	p.t.Helper()
	_, err := p.do(request{Op: "view", Name: name})
	return err
}

func (p *peer) closeMapping(name string) error {
	p.t.Helper()
	_, err := p.do(request{Op: "close", Name: name})
	return err
}

func (p *peer) read(name string, offset, size int64) ([]byte, error) {
	p.t.Helper()
	return p.do(request{Op: "read", Name: name, Offset: offset, Size: size})
}

func (p *peer) write(name string, offset int64, data string) error {
	p.t.Helper()
	_, err := p.do(request{Op: "write", Name: name, Offset: offset, Data: []byte(data)})
	return err
}
