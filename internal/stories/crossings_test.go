package stories

import (
	"slices"
	"strconv"
	"strings"

	"corridorwatch/schemas/pb"
)

func crossingRows(all *told) (rows []row) {
	consists := consistsOf(all)
	for _, c := range all.crossings {
		out, in := c.Outbound, c.Inbound
		r := row{
			"unit": c.Unit, "unit_kind": word(c.UnitKind), "border": c.Border, "direction": c.FromCountry + "-" + c.ToCountry,
			"consist":    identity(c.Consist),
			"out_places": places(out), "out_arrived": instant(entry(out)), "out_departed": instant(exit(out)),
			"in_places": places(in), "in_arrived": instant(entry(in)), "in_departed": instant(exit(in)),
			"out_s": measured(out), "in_s": measured(in), "running_s": "", "total_s": "",
			"offered_first": instant(c.OfferedAt), "refused": instant(c.RefusedAt), "offered_again": instant(c.OfferedAgainAt),
			"accepted": instant(c.AcceptedAt), "refusals": strconv.Itoa(int(c.Refused)), "offer_to_accept_s": span(c.OfferedAt, c.AcceptedAt),
			"approach_s": strconv.FormatInt(c.ApproachS, 10), "state": word(c.State), "basis": bases(c),
		}
		if exit(out) != 0 && entry(in) != 0 {
			r["running_s"] = strconv.FormatInt(c.RunningS, 10)
		}
		if c.TotalS != 0 {
			r["total_s"] = strconv.FormatInt(c.TotalS, 10)
		}
		if c.Candidate {
			r["state"] = "candidate"
		}
		if c.UnitKind == pb.UnitKind_TRAIN {
			r["consist"] = consists[c.Border+" "+c.Unit]
		}
		rows = append(rows, r)
	}
	return rows
}

// consistsOf says for each train which consist it was a part of at a border: that of the containers it carried there.
func consistsOf(all *told) map[string]string {
	of := map[string]string{}
	for _, c := range all.crossings {
		for _, side := range []*pb.Side{c.Outbound, c.Inbound} {
			for _, run := range side.Vehicles {
				if c.UnitKind == pb.UnitKind_CONTAINER {
					of[c.Border+" "+run] = identity(c.Consist)
				}
			}
		}
	}
	return of
}

// identity is the run a consist came to the border as.
func identity(consist string) string {
	parts := strings.Split(consist, "|")
	return strings.Join(parts[min(1, len(parts)):max(len(parts)-1, 1)], "|")
}

// places are those of a side, each once.
func places(s *pb.Side) string {
	var all []string
	for _, p := range s.Places {
		if !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return strings.Join(all, "+")
}

func entry(s *pb.Side) int64 {
	if s.Entered.GetAt() != 0 {
		return s.Entered.At
	}
	return s.Arrived.GetAt()
}

func exit(s *pb.Side) int64 {
	if s.Left.GetAt() != 0 {
		return s.Left.At
	}
	return s.Departed.GetAt()
}

func measured(s *pb.Side) string {
	if s.State != pb.State_CLOSED || len(s.Places) == 0 {
		return ""
	}
	return strconv.FormatInt(s.Seconds, 10)
}

// bases are those of the moments a crossing is measured between.
func bases(c *pb.Crossing) string {
	var all []string
	for _, s := range []*pb.Side{c.Outbound, c.Inbound} {
		for _, m := range []*pb.Moment{s.Arrived, s.Departed} {
			if b := basis(m); b != "" && !slices.Contains(all, b) {
				all = append(all, b)
			}
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return strings.Join(all, "+")
}

func causeRows(all *told) (rows []row) {
	for _, c := range all.crossings {
		if c.UnitKind != pb.UnitKind_TRAIN {
			continue
		}
		for _, s := range []*pb.Side{c.Outbound, c.Inbound} {
			if measured(s) == "" {
				continue
			}
			r := row{
				"run": c.Unit, "place": strings.Join(s.Places, "+"), "arrived": instant(entry(s)), "departed": instant(exit(s)), "dwell_s": measured(s),
				"technical_inspection_s": "0", "customs_s": "0", "document_errors_s": "0",
				"overlap_s": strconv.FormatInt(s.OverlapS, 10), "unexplained_s": strconv.FormatInt(s.UnexplainedS, 10),
			}
			for _, t := range s.Causes {
				r[t.Cause+"_s"] = strconv.FormatInt(t.Seconds, 10)
			}
			n := 0
			for _, box := range all.crossings {
				for _, o := range []*pb.Side{box.Outbound, box.Inbound} {
					if box.UnitKind == pb.UnitKind_CONTAINER && box.Border == c.Border && o.Role == s.Role && slices.Contains(o.Vehicles, c.Unit) {
						n++
					}
				}
			}
			r["containers"] = strconv.Itoa(n)
			rows = append(rows, r)
		}
	}
	return rows
}
