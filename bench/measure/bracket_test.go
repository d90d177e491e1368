package measure

import "testing"

func TestDoubt(t *testing.T) {
	steady, before, after := Bracket{100, 120}, Bracket{151, 100}, Bracket{100, 66}
	for _, c := range []struct {
		rounds []Bracket
		want   bool
	}{
		{nil, false},
		{[]Bracket{steady, steady, steady, before}, false},
		{[]Bracket{steady, steady, before}, true},
		{[]Bracket{steady, steady, after}, true},
		{[]Bracket{{67, 149}}, false},
	} {
		q := Quality{Line: c.rounds}
		if q.settle(100); q.Doubt != c.want {
			t.Errorf("%v: not to be quoted: %v, not %v", c.rounds, q.Doubt, c.want)
		}
	}
}

// TestBracket has a line that tells how often it was asked.
func TestBracket(t *testing.T) {
	asked := 0.0
	r := &Runner{Line: func() (float64, error) { asked++; return asked, nil }}
	got, err := r.Bracket(func() error { asked = 10; return nil })
	if err != nil || got != (Bracket{1, 11}) || len(r.trips) != 2 {
		t.Errorf("%v, %v: %v", got, r.trips, err)
	}
}
