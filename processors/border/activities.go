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

// explain divides a side's time by what went on: customs, gauge change, other activities, and the rest that nothing explains.
// Activities may overlap: each kind counts its own time, the unexplained is what none of them covers.
func explain(s *pb.Side, g *group, began, ended int64) {
	var customs, gauge, others, all []span
	for _, st := range g.stays {
		for _, a := range st.Activities {
			if a.Kind == "held" {
				continue
			}
			sp := span{max(a.From, began), min(a.To, ended)}
			if a.To == 0 {
				sp.to = ended
			}
			if a.From == 0 || sp.to <= sp.from {
				continue
			}
			all = append(all, sp)
			switch {
			case strings.HasPrefix(a.Kind, "customs"):
				customs = append(customs, sp)
			case strings.HasPrefix(a.Kind, "gauge") || strings.HasPrefix(a.Kind, "transload"):
				gauge = append(gauge, sp)
			default:
				others = append(others, sp)
			}
		}
	}
	s.CustomsS, s.GaugeChangeS, s.OtherS = union(customs), union(gauge), union(others)
	s.UnexplainedS = s.Seconds - union(all)
}
