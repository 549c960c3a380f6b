package border

import (
	"cmp"
	"slices"
	"strings"

	"corridorwatch/schemas/pb"
)

type span struct{ from, to int64 }

// union is the time covered by spans, in seconds, each moment once.
func union(spans []span) int64 {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var total, end int64
	for _, s := range spans {
		s.from = max(s.from, end)
		if s.to > s.from {
			total += s.to - s.from
			end = s.to
		}
	}
	return total / 1000
}

// causes are the times of what went on at some stays, by cause, cut to a time.
type causes map[string][]span

// spansOf are the activities at stays of which it is told when they began. A hold before a border is none: it is told beside the
// crossing.
func spansOf(stays []*stay) (all []*pb.Span) {
	for _, st := range stays {
		for _, a := range st.Activities {
			if a.Kind != "held" && a.From != 0 {
				all = append(all, a)
			}
		}
	}
	return all
}

// causesOf gathers activities between from and to. One that has not ended goes on to the end.
func causesOf(stays []*stay, from, to int64) causes {
	all := causes{}
	for _, a := range spansOf(stays) {
		sp := span{max(a.From, from), min(a.To, to)}
		if a.To == 0 {
			sp.to = to
		}
		if sp.from < sp.to {
			all[a.Kind] = append(all[a.Kind], sp)
		}
	}
	return all
}

// of is the time that the causes of a kind took, each moment once.
func (c causes) of(is func(cause string) bool) int64 {
	var spans []span
	for cause, s := range c { // in any order: union sorts
		if is(cause) {
			spans = append(spans, s...)
		}
	}
	return union(spans)
}

// each is the time of every cause, and by how much they overlap.
func (c causes) each() (all []*pb.CauseTime, overlap int64) {
	for _, cause := range sortedKeys(c) {
		t := &pb.CauseTime{Cause: cause, Seconds: union(c[cause])}
		all = append(all, t)
		overlap += t.Seconds
	}
	return all, overlap - c.of(anything)
}

func anything(string) bool { return true }

func isCustoms(cause string) bool { return strings.HasPrefix(cause, "customs") }

func isGaugeChange(cause string) bool {
	return strings.HasPrefix(cause, "gauge") || strings.HasPrefix(cause, "transload") || cause == "transhipment"
}

// explain divides a side's time by what went on: every cause by its code, and customs, gauge change and all others summed up; the rest
// nothing explains. Causes may overlap: each counts its own time, the overlap is told, the unexplained is what none of them covers.
func explain(s *pb.Side, g *group, began, ended int64) {
	all := causesOf(g.stays, began, ended)
	s.Causes, s.OverlapS = all.each()
	s.CustomsS, s.GaugeChangeS = all.of(isCustoms), all.of(isGaugeChange)
	s.OtherS = all.of(func(cause string) bool { return !isCustoms(cause) && !isGaugeChange(cause) })
	s.UnexplainedS = s.Seconds - all.of(anything)
}
