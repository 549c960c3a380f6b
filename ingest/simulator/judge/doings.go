package judge

import (
	"slices"

	"corridorwatch/ingest/simulator"
)

// compareDoings counts a crossing whose hand-over, time held upstream, customs and change of gauge are the true ones, to the second.
func (r *Report) compareDoings(t *simulator.Crossing, c *Crossing) {
	want := Doings{
		Offered: t.Offered, Accepted: t.Accepted, Refused: int64(t.Refused),
		Approach: t.Approach / 1000, Customs: t.Customs / 1000, GaugeChange: t.GaugeChange / 1000,
	}
	r.doings.truth++
	if near(c.Approach, want.Approach) && near(c.Customs, want.Customs) && near(c.GaugeChange, want.GaugeChange) &&
		c.Offered == want.Offered && c.Accepted == want.Accepted && c.Refused == want.Refused {
		r.doings.found++
		return
	}
	r.doings.miss("%s over %s, %s: found %+v, true %+v", t.Run, t.Border, clock(t.OutEntered), c.Doings, want)
}

// near allows for seconds that are cut off once and once more.
func near(a, b int64) bool { return abs(a-b) <= 1 }

func (r *Report) compareNotices(truth *simulator.Truth, got Results) {
	left := slices.Clone(got.Notices)
	for _, n := range truth.Notices {
		r.notices.truth++
		if i := slices.Index(left, n); i >= 0 {
			r.notices.found++
			left = slices.Delete(left, i, i+1)
			continue
		}
		r.notices.miss("%+v", n)
	}
	for _, n := range left {
		r.notices.invent("%+v", n)
	}
}
