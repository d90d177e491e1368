package test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/filemap-go/filemap/filemaptest"
)

// testdata/conformance.json says what Win32 does, case by case. The tables in
// the files beside this one say of each case how it is shown here, in terms of
// filemap's api: a function performs the steps and expects the result, with
// Win32's errors translated as docs/semantics.md has them.

var markdown = flag.String("markdown", "",
	"the file where TestConformance writes which cases do not hold here, as a table for docs")

// ruling says how a case is shown, or why it is not.
type ruling struct {
	run func(t *testing.T, ns *filemaptest.Namespace)

	// linux and windows say why the case can't hold there.
	linux, windows string
}

// here returns why the case does not hold on this system, or "".
func (r ruling) here() string {
	if runtime.GOOS == "windows" {
		return r.windows
	}
	return r.linux
}

// neither is the ruling of a case that can't hold anywhere.
func neither(why string) ruling { return ruling{linux: why, windows: why} }

// shown is the ruling of a case that holds everywhere.
func shown(run func(t *testing.T, ns *filemaptest.Namespace)) ruling { return ruling{run: run} }

type conformanceCase struct {
	ID, Area, Steps, Expected string
}

func TestConformance(t *testing.T) {
	cases := conformanceCases(t)
	var pass, never int
	for _, c := range cases {
		r, ok := conformance[c.ID]
		switch {
		case !ok:
			t.Errorf("%s: conformance.json has this case, the tables do not", c.ID)
		case r.here() != "":
			never++
			t.Logf("not for %s: %s: %s", runtime.GOOS, c.ID, r.here())
		default:
			passed := t.Run(c.ID, func(t *testing.T) {
				t.Logf("%s => %s", c.Steps, c.Expected)
				r.run(t, filemaptest.New(t))
			})
			if passed {
				pass++
			}
		}
	}
	t.Logf("figures: conformance: %s: %d pass, %d not applicable of %d",
		runtime.GOOS, pass, never, len(cases))
	if *markdown != "" {
		succeed(t, "WriteFile", os.WriteFile(*markdown, []byte(notApplicable(cases)), 0o644))
	}
}

// TestConformanceTables fails if a table has a case that there is not.
func TestConformanceTables(t *testing.T) {
	ids := make(map[string]bool)
	for _, c := range conformanceCases(t) {
		ids[c.ID] = true
	}
	for id, r := range conformance {
		if !ids[id] {
			t.Errorf("%s: the tables have this case, conformance.json does not", id)
		}
		if r.run == nil && (r.linux == "" || r.windows == "") {
			t.Errorf("%s: neither shown nor ruled out on both systems", id)
		}
	}
}

func conformanceCases(t *testing.T) []conformanceCase {
	t.Helper()
	data, err := os.ReadFile("testdata/conformance.json")
	succeed(t, "ReadFile", err)
	var cases []conformanceCase
	succeed(t, "Unmarshal", json.Unmarshal(data, &cases))
	return cases
}

// notApplicable returns the table of the cases that do not hold on a system.
func notApplicable(cases []conformanceCase) string {
	var b strings.Builder
	b.WriteString("| Case | Windows: steps and result | Not on | Why |\n|---|---|---|---|\n")
	cell := strings.NewReplacer("|", `\|`)
	for _, c := range cases {
		r := conformance[c.ID]
		systems, why := "Linux and Windows", r.linux
		switch {
		case r.linux == "" && r.windows == "":
			continue
		case r.linux == "":
			systems, why = "Windows", r.windows
		case r.windows == "":
			systems = "Linux"
		}
		fmt.Fprintf(&b, "| `%s` | %s: %s | %s | %s |\n",
			c.ID, cell.Replace(c.Steps), cell.Replace(c.Expected), systems, cell.Replace(why))
	}
	return b.String()
}
