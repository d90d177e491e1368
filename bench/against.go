package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/filemap-go/filemap/bench/channels"
	"github.com/filemap-go/filemap/bench/measure"
)

// turns is how often each of two programs measures.
const turns = 3

// outcome is what a program of this tree or of an older one writes for programs.
type outcome struct {
	Comparisons []measure.Comparison `json:"comparisons"`
	Figures     []measure.Figure     `json:"figures"`
	Channel     *channels.Report     `json:"channel"`
}

// compareWith has this program and that of another tree measure by turns, with the same
// flags, and prints what both measured. Each knows its own tree's api, so the trees may
// differ in that.
func compareWith(tree string, w io.Writer, flags []string) error {
	directory, err := os.MkdirTemp("", "filemap-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	that := filepath.Join(directory, "that")
	build := exec.Command("go", "build", "-o", that, ".")
	build.Dir, build.Env = filepath.Join(tree, "bench"), append(os.Environ(), "GOWORK=off")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", build.Dir, err, text)
	}
	this, err := os.Executable()
	if err != nil {
		return err
	}
	programs := [2]string{this, that}
	var rows [2][]map[string]measure.Figure // of this and that, by turns
	var names []string                      // in the order of this
	for turn := range turns {
		for i := range programs {
			i = (i + turn) % len(programs)
			all, err := measured(programs[i], filepath.Join(directory, "results"), flags)
			if err != nil {
				return fmt.Errorf("%s: %w", programs[i], err)
			}
			byName := make(map[string]measure.Figure)
			for _, f := range all {
				byName[f.Name] = f
				if i == 0 && !slices.Contains(names, f.Name) {
					names = append(names, f.Name)
				}
			}
			rows[i] = append(rows[i], byName)
		}
	}
	return printBoth(w, tree, names, rows)
}

// measured runs a program and returns all that it measured, as figures.
func measured(program, file string, flags []string) ([]measure.Figure, error) {
	run := exec.Command(program, append(flags, "--json", file)...)
	run.Stderr = os.Stderr
	if err := run.Run(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var o outcome
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	var all []measure.Figure
	for _, c := range o.Comparisons {
		all = append(all, measure.Figure{
			Name: c.Contest + "/" + c.Ours.Name, Value: c.Ours.NS, Unit: "ns", Quality: c.Quality,
		})
	}
	all = append(all, o.Figures...)
	if o.Channel != nil {
		all = append(all, o.Channel.Figures()...)
	}
	return all, nil
}

// printBoth prints what both programs measured in each turn. A ratio is taken in a turn.
func printBoth(w io.Writer, tree string,
	names []string, rows [2][]map[string]measure.Figure,
) error {
	fmt.Fprintf(w, "this tree and %s by %d turns: medians, and where half of the ratios lie\n",
		tree, turns)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  what\tunit\tthat\tthis\tthis / that\tspan\t")
	printed := 0
	for _, name := range names {
		var these, those, ratios []float64
		var shown measure.Figure
		for turn := range turns {
			this, inThis := rows[0][turn][name]
			that, inThat := rows[1][turn][name]
			if !inThis || !inThat || that.Value == 0 {
				continue
			}
			this.Doubt = this.Doubt || shown.Doubt
			shown = this
			these, those = append(these, this.Value), append(those, that.Value)
			ratios = append(ratios, this.Value/that.Value)
		}
		if ratios == nil {
			continue
		}
		printed++
		fmt.Fprintf(table, "%s%s\t%s\t%s\t%s\t%.2f\t%.2f..%.2f\t\n", shown.Mark(), name, shown.Unit,
			measure.Significant(measure.Median(those)), measure.Significant(measure.Median(these)),
			measure.Median(ratios), measure.Quantile(ratios, 0.25), measure.Quantile(ratios, 0.75))
	}
	if printed == 0 {
		return errors.New("the two trees measured nothing that both have")
	}
	return table.Flush()
}
