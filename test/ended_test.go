package test

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/filemap-go/filemap/filemaptest"
	"github.com/filemap-go/filemap/waitable"
)

// What the end of a context means is the same for all calls: one that takes a
// context takes what is there, ended or not, and fails only if it would have to
// wait. So what is signaled before the end is never missed.

// waitingCall is an exported function that takes a context.
type waitingCall struct {
	name string // package.Function or package.Type.Method
	make func(t *testing.T, ns *filemaptest.Namespace) waited
}

// waited is what a call waits for.
type waited struct {
	wait   func(ctx context.Context) error
	signal func() error // has one wait succeed
	rearm  func() error // after one has, unless that needs nothing
}

var errTooLate = errors.New("too late")

func TestEndedContext(t *testing.T) {
	for _, call := range waitingCalls {
		t.Run(call.name, func(t *testing.T) {
			w := call.make(t, filemaptest.New(t))
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errTooLate)
			if err := w.wait(ctx); !errors.Is(err, errTooLate) {
				t.Errorf("with nothing there it returns %v, want the context's cause", err)
			}
			for range 5 { // such an end must not cost anything later
				succeed(t, "signaling", w.signal())
				succeed(t, "a call with an ended context", w.wait(ctx))
				w.ready(t)
			}
		})
	}
}

// TestSignalBeforeEnd signals strictly before the context of a wait ends, which
// may not have begun, or be about to look, or parked.
func TestSignalBeforeEnd(t *testing.T) {
	for _, call := range waitingCalls {
		t.Run(call.name, func(t *testing.T) {
			w := call.make(t, filemaptest.New(t))
			w.signalBeforeEnd(t, effort(t, 25, 300))
		})
	}
}

// TestSignalBeforeEndPooled does so with waits that share threads with others.
func TestSignalBeforeEndPooled(t *testing.T) {
	parkMany(t)
	for _, call := range waitingCalls {
		t.Run(call.name, func(t *testing.T) {
			w := call.make(t, filemaptest.New(t))
			w.signalBeforeEnd(t, effort(t, 10, 300))
		})
	}
}

func (w waited) signalBeforeEnd(t *testing.T, rounds int) {
	missed := 0
	for range rounds {
		ctx, cancel := context.WithCancelCause(t.Context())
		result := make(chan error, 1)
		go func() { result <- w.wait(ctx) }()
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		succeed(t, "signaling", w.signal())
		cancel(errTooLate)
		switch err := take(t, "the wait", result); {
		case errors.Is(err, errTooLate):
			missed++
			succeed(t, "the next call", w.wait(t.Context()))
		case err != nil:
			t.Fatalf("the wait returns %v", err)
		}
		w.ready(t)
	}
	if missed > 0 {
		t.Errorf("%d of %d signals before the end were missed", missed, rounds)
	}
}

func (w waited) ready(t *testing.T) {
	t.Helper()
	if w.rearm != nil {
		succeed(t, "making ready for the next round", w.rearm())
	}
}

// parkMany parks more goroutines than can block a thread each.
func parkMany(t *testing.T) {
	idle, err := waitable.CreateEvent("", nil)
	succeed(t, "CreateEvent", err)
	ctx, cancel := context.WithCancel(context.Background())
	var outcomes []<-chan waitable.Outcome
	for range 70 {
		outcomes = append(outcomes, waitable.Chan(ctx, idle))
	}
	time.Sleep(100 * time.Millisecond) // for them to park, as far as that matters
	t.Cleanup(func() {
		cancel()
		for _, outcome := range outcomes {
			take(t, "a parked wait", outcome)
		}
		succeed(t, "Close", idle.Close())
	})
}

// TestWaitingCallsAreAllHere finds every exported function that takes a context,
// except for those of package inspect, which look and never wait, and iterators, which
// call one that is here at each step until the context ends.
func TestWaitingCallsAreAllHere(t *testing.T) {
	known := make(map[string]bool)
	for _, call := range waitingCalls {
		name, _, _ := strings.Cut(call.name, " ")
		known[name] = true
	}
	for _, dir := range []string{"..", "../waitable", "../channel"} {
		paths, err := filepath.Glob(dir + "/*.go")
		succeed(t, "Glob", err)
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			succeed(t, "ParseFile", err)
			for _, name := range takeContexts(file) {
				if name = file.Name.Name + "." + name; !known[name] {
					t.Errorf("%s takes a context and has no row in waitingCalls", name)
				}
			}
		}
	}
}

// takeContexts returns the exported functions of a file that take a context.
func takeContexts(file *ast.File) (names []string) {
	for _, declaration := range file.Decls {
		f, ok := declaration.(*ast.FuncDecl)
		if !ok || !f.Name.IsExported() || len(f.Type.Params.List) == 0 {
			continue
		}
		first, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
		if !ok || first.Sel.Name != "Context" || isIterator(f) {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil {
			of := f.Recv.List[0].Type
			if pointer, ok := of.(*ast.StarExpr); ok {
				of = pointer.X
			}
			receiver, ok := of.(*ast.Ident)
			if !ok || !receiver.IsExported() { // a generic type's methods call those of another
				continue
			}
			name = receiver.Name + "." + name
		}
		names = append(names, name)
	}
	return names
}

// isIterator reports whether a function returns an iterator.
func isIterator(f *ast.FuncDecl) bool {
	if f.Type.Results == nil {
		return false
	}
	generic, ok := f.Type.Results.List[0].Type.(*ast.IndexListExpr)
	if !ok {
		return false
	}
	of, ok := generic.X.(*ast.SelectorExpr)
	return ok && of.Sel.Name == "Seq2"
}
