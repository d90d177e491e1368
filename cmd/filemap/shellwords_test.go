package main

import (
	"slices"
	"testing"
)

func TestSplitLine(t *testing.T) {
	for line, want := range map[string][]word{
		``:                         {{``, ``}},
		`filemap `:                 {{`filemap`, `filemap`}, {``, ``}},
		`filemap  cat`:             {{`filemap`, `filemap`}, {`cat`, `cat`}},
		`cat 'Local\Z`:             {{`cat`, `cat`}, {`Local\Z`, `'Local\Z`}},
		`cat 'Local\Z' x`:          {{`cat`, `cat`}, {`Local\Z`, `'Local\Z'`}, {`x`, `x`}},
		`cat Local\\Z`:             {{`cat`, `cat`}, {`Local\Z`, `Local\\Z`}},
		`cat Local\Z`:              {{`cat`, `cat`}, {`LocalZ`, `Local\Z`}},
		`cat "a b\Z\"\$`:           {{`cat`, `cat`}, {`a b\Z"$`, `"a b\Z\"\$`}},
		`cat a\ b'c d'"e"f\`:       {{`cat`, `cat`}, {`a bc def\`, `a\ b'c d'"e"f\`}},
		"cat \"it's\" 'say \"x\"'": {{`cat`, `cat`}, {`it's`, `"it's"`}, {`say "x"`, `'say "x"'`}},
	} {
		if got := splitLine(line); !slices.Equal(got, want) {
			t.Errorf("splitLine(%q) = %q, want %q", line, got, want)
		}
	}
}

// TestQuoteAs completes what a user has typed, and splits the result again.
func TestQuoteAs(t *testing.T) {
	for _, test := range []struct{ typed, means, name, completed string }{
		{`'Local\Z`, `Local\Z`, `Local\Zebra`, `'Local\Zebra`},
		{`Local\\Z`, `Local\Z`, `Local\Zebra`, `Local\\Zebra`},
		{`Local\Z`, `Local\Z`, `Local\Zebra`, `'Local\Zebra'`},
		{`Local\`, `Local\`, `Local\Zebra`, `'Local\Zebra'`},
		{`"Local\Z`, `Local\Z`, `Local\Ze$bra`, `"Local\\Ze\$bra`},
		{`Z`, `Z`, `Zebra`, `Zebra`},
		{`a\ b`, `a b`, `a b$c`, `'a b$c'`},
		{`it`, `it`, `it's`, `'it'\''s'`},
		{`'it`, `it`, `it's`, `'it'\''s`},
		{``, ``, `Global\Zoo`, `'Global\Zoo'`},
		{`--kind=ev`, `--kind=ev`, `--kind=event`, `--kind=event`},
	} {
		w := splitLine(test.typed)[0]
		if got := w.meaning(); got != test.means {
			t.Errorf("%q means %q, want %q", test.typed, got, test.means)
		}
		got := w.quoteAs(test.name)
		if got != test.completed {
			t.Errorf("%q completed to %q is %q, want %q", test.typed, test.name, got, test.completed)
		}
		if back := splitLine(got); len(back) != 1 || back[0].text != test.name {
			t.Errorf("%q is split into %q, want %q", got, back, test.name)
		}
	}
}
