package simulator

import "slices"

// crossings are neighbouring visits on the two sides of a border; calls are those of all runs that the visits are of.
func crossings(cfg Config, run string, visits []Visit, calls []call) []Crossing {
	var out []Crossing
	for i := 1; i < len(visits); i++ {
		a, b := &visits[i-1], &visits[i]
		for _, s := range cfg.Catalog.BorderSides(a.Place) {
			beyond := s.Border.B.Places
			if s.Side == 'B' {
				beyond = s.Border.A.Places
			}
			if !slices.Contains(beyond, b.Place) {
				continue
			}
			own := s.Border.A.Places
			if s.Side == 'B' {
				own = s.Border.B.Places
			}
			c := Crossing{Run: run, Border: s.Border.ID}
			first, last := i-1, i
			for first > 0 && slices.Contains(own, visits[first-1].Place) {
				first--
			}
			for last+1 < len(visits) && slices.Contains(beyond, visits[last+1].Place) {
				last++
			}
			c.OutEntered, c.OutLeft, c.InEntered, c.InLeft = visits[first].begin(), a.finish(), b.begin(), visits[last].finish()
			for _, v := range visits[first : last+1] {
				c.Cut, c.Vague = c.Cut || v.Cut, c.Vague || v.Vague
			}
			doings(&c, calls, cfg.Start.UnixMilli(), visits[first:last+1])
			out = append(out, c)
		}
	}
	return out
}

// doings adds what was done on both sides, and before. A hold that began before the world did is not told of.
func doings(c *Crossing, calls []call, start int64, visits []Visit) {
	for i := range calls {
		k := &calls[i]
		if !k.seen() {
			continue
		}
		if k.held >= start && k.boundFor == c.Border {
			c.Approach += k.until - k.held
		}
		if !slices.ContainsFunc(visits, func(v Visit) bool { return v.Place == k.place.ID }) {
			continue
		}
		if k.border == c.Border && len(k.offers) > 0 {
			c.Offered, c.Accepted, c.Refused = k.offers[0], k.accepted, len(k.refusals)
		}
		for _, s := range k.spans {
			switch s.kind {
			case "customs":
				c.Customs += s.to - s.from
			case "gauge_change":
				c.GaugeChange += s.to - s.from
			}
		}
	}
}
