package channels

import (
	"slices"

	"github.com/filemap-go/filemap/bench/measure"
)

// Report is what the comparison of messages found out.
type Report struct {
	Rounds int   `json:"rounds"`
	Pinned bool  `json:"pinned"`
	BoutNS int64 `json:"bout_ns"`

	// CopyRate is the limit that a copy is, before the first round and after each.
	CopyRate []float64 `json:"copy_bytes_per_second"`

	Percentiles []float64      `json:"percentiles"`
	Results     []result       `json:"results"`
	Targets     []targetResult `json:"targets"`
}

// result is what a contestant did in one exercise with messages of one
// size. Each value is the median of the rounds'; half of them lie in its span.
type result struct {
	Contestant string   `json:"contestant"`
	Exercise   exercise `json:"exercise"`
	Size       int      `json:"size"`
	Total      int64    `json:"total,omitempty"` // bytes, of bulk

	// Trips has the round trips' times by percentiles.
	Trips []float64 `json:"round_trip_ns,omitempty"`

	Messages span `json:"messages_per_second"`
	Bytes    span `json:"bytes_per_second"` // one way
	Idle     span `json:"idle"`             // the share of a processor that waiting took

	// What a message costs either process, or a round trip. Allocations are
	// counted in Go only.
	ClientTime   float64 `json:"client_processor_ns"`
	ServerTime   float64 `json:"server_processor_ns"`
	ClientAllocs float64 `json:"client_allocs"`
	ServerAllocs float64 `json:"server_allocs"`
	InGo         bool    `json:"in_go"`

	// Speedup is how many times faster than the baseline it is, by the median
	// round trip or by messages.
	Speedup span `json:"speedup"`

	// Limit compares it with the hardware: the median round trip to that of a
	// cache line, the bytes one way to those of a copy.
	Limit span `json:"of_limit"`

	// SlotRing and ByteRing are how many times faster than the rings it is, likewise, if
	// those were measured.
	SlotRing span `json:"of_slot_ring"`
	ByteRing span `json:"of_byte_ring"`

	// First is the first round trip of fresh processes.
	First span `json:"first_ns"`

	measure.Quality
}

// span is a median, and where half of the values lie.
type span struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func spanOf(values []float64) span {
	if len(values) == 0 {
		return span{}
	}
	return span{measure.Median(values), measure.Quantile(values, 0.25), measure.Quantile(values, 0.75)}
}

func (s *series) report() *Report {
	rep := &Report{
		Rounds: s.rounds, Pinned: s.pinned(), BoutNS: s.time.Nanoseconds(),
		CopyRate: s.copyRate, Percentiles: percentiles,
	}
	var baseline *cell
	for _, c := range s.cells {
		if baseline == nil || baseline.does != c.does || baseline.size != c.size {
			baseline = c // the first of its kind
		}
		rep.Results = append(rep.Results, s.resultOf(c, baseline))
	}
	rep.Targets = s.judge(targets)
	return rep
}

// Qualities returns those of all results and targets.
func (rep *Report) Qualities() (all []*measure.Quality) {
	for i := range rep.Results {
		all = append(all, &rep.Results[i].Quality)
	}
	for i := range rep.Targets {
		all = append(all, &rep.Targets[i].Quality)
	}
	return all
}

// Figures returns one of each result, to compare runs by.
func (rep *Report) Figures() (all []measure.Figure) {
	for _, r := range rep.Results {
		f := measure.Figure{
			Name:  pathOf(task{r.Exercise, r.Size}, r.Contestant),
			Value: r.Messages.Value, Unit: "messages/s", Quality: r.Quality,
		}
		switch {
		case r.Exercise == idle || r.Exercise == crowd:
			f.Value, f.Unit = 100*r.Idle.Value, "% of a processor"
		case len(r.Trips) == len(percentiles):
			f.Value, f.Unit = r.at(50), "ns, p50"
		}
		all = append(all, f)
	}
	return all
}

// cacheLine returns a cache line's round trip around each round of each result.
func (rep *Report) cacheLine() (trips []float64) {
	for _, r := range rep.Results {
		for _, b := range r.Line {
			trips = append(trips, b.Middle())
		}
	}
	return trips
}

func (s *series) resultOf(c, baseline *cell) result {
	r := result{
		Contestant: c.contestant.name, Exercise: c.does, Size: c.size, InGo: c.program == "",
		Messages: spanOf(each(c.rounds, boutResult.rate)),
	}
	r.Line = c.line()
	middle := func(value func(boutResult) float64) float64 {
		return measure.Median(each(c.rounds, value))
	}
	r.ClientTime = middle(func(b boutResult) float64 { return b.client.processorTime() })
	r.ServerTime = middle(func(b boutResult) float64 { return b.server.processorTime() })
	r.ClientAllocs = middle(func(b boutResult) float64 { return b.client.allocs() })
	r.ServerAllocs = middle(func(b boutResult) float64 { return b.server.allocs() })
	switch c.does {
	case oneWay, bulk:
		if c.does == bulk {
			r.Total = s.bytes
		}
		size := float64(c.size)
		r.Bytes = span{r.Messages.Value * size, r.Messages.Low * size, r.Messages.High * size}
	case idle:
		r.Idle = spanOf(each(c.rounds, boutResult.idleShare))
		return r // what does nothing can't be compared
	case crowd:
		r.Idle = spanOf(each(c.rounds, boutResult.crowdShare))
		return r
	default:
		for i := range percentiles {
			r.Trips = append(r.Trips,
				middle(func(b boutResult) float64 { return b.client.Percentiles[i] }))
		}
	}
	r.First = spanOf(each(c.rounds, func(b boutResult) float64 { return float64(b.client.First) }))
	r.Speedup, r.Limit = speedup(c, baseline), s.ofLimit(c)
	r.SlotRing, r.ByteRing = s.ofRing(c, slotRing), s.ofRing(c, byteRing)
	return r
}

// speedup compares a cell with another, round by round.
func speedup(c, than *cell) span {
	if c.does.answers() {
		return spanOf(ratios(each(than.rounds, trip), each(c.rounds, trip)))
	}
	return spanOf(ratios(each(c.rounds, boutResult.rate), each(than.rounds, boutResult.rate)))
}

func trip(b boutResult) float64 { return b.client.at(50) }

// ofLimit compares a cell with the hardware.
func (s *series) ofLimit(c *cell) span {
	if c.does.answers() {
		return spanOf(ratios(each(c.rounds, trip), each(c.rounds, boutResult.cacheLine)))
	}
	bytes := each(c.rounds, func(b boutResult) float64 { return b.rate() * float64(c.size) })
	return spanOf(ratios(bytes, between(s.copyRate)))
}

// ofRing compares a cell with one of the rings, if that was measured.
func (s *series) ofRing(c *cell, ring string) span {
	than := s.cellOf(reading{contestant: ring, task: c.task})
	if than == nil {
		return span{}
	}
	return speedup(c, than)
}

func each(rounds []boutResult, value func(boutResult) float64) []float64 {
	var values []float64
	for _, b := range rounds {
		values = append(values, value(b))
	}
	return values
}

// line returns the brackets of the rounds.
func (c *cell) line() (all []measure.Bracket) {
	for _, b := range c.rounds {
		all = append(all, b.line)
	}
	return all
}

// cacheLine returns a cache line's round trip before and after.
func (b boutResult) cacheLine() float64 { return b.line.Middle() }

// rate returns the messages, or the round trips, a second.
func (b boutResult) rate() float64 {
	return float64(b.server.Messages) / b.server.Elapsed.Seconds()
}

// crowdShare returns how much of a processor both took to wait.
func (b boutResult) crowdShare() float64 {
	return b.idleShare() + float64(b.client.Processor)/float64(b.client.Elapsed)
}

// idleShare returns how much of a processor the server took to wait.
func (b boutResult) idleShare() float64 {
	return float64(b.server.Processor) / float64(b.server.Elapsed)
}

// at returns the round trips' time at a percentile.
func (r sideResult) at(percentile float64) float64 {
	return r.Percentiles[slices.Index(percentiles, percentile)]
}

func (r result) at(percentile float64) float64 {
	return r.Trips[slices.Index(percentiles, percentile)]
}

func (r sideResult) processorTime() float64 { return float64(r.Processor) / float64(r.Messages) }

func (r sideResult) allocs() float64 { return float64(r.Allocs) / float64(r.Messages) }
