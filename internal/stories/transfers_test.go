package stories

import (
	"fmt"
	"strconv"
	"strings"

	"corridorwatch/schemas/pb"
)

// transferRows are the changes of vehicles at gauge breaks. One that goes on is told up to the end of the week, as v_gauge_breaks tells
// it up to now.
func transferRows(all *told) (rows []row) {
	for _, c := range all.crossings {
		t := c.Transfer
		if t == nil {
			continue
		}
		parts := map[string]int64{"on_first_s": t.OnFirstS, "between_s": t.BetweenS, "on_second_s": t.OnSecondS, "overlap_s": t.OverlapS, "unexplained_s": t.UnexplainedS}
		for _, cause := range []string{"commercial_inspection", "customs", "document_errors", "sanitary_inspection", "technical_inspection", "busy_facilities",
			"waiting_wagons", "transhipment", "loading", "waiting_locomotive"} {
			parts[cause+"_s"] = 0
		}
		for _, cause := range t.Causes {
			parts[cause.Cause+"_s"] = cause.Seconds
		}
		state := "closed"
		if t.AsOf != 0 {
			state = "open"
			since := (weekEnd - t.AsOf) / 1000
			switch {
			case t.OffAt == 0:
				parts["on_first_s"] += since
			case t.OnAt == 0:
				parts["between_s"] += since
			default:
				parts["on_second_s"] += since
			}
			for _, cause := range t.GoingOn {
				parts[cause+"_s"] += since
			}
			switch n := int64(len(t.GoingOn)); n {
			case 0:
				parts["unexplained_s"] += since
			default:
				parts["overlap_s"] += (n - 1) * since
			}
		}
		parts["sum_s"] = parts["on_first_s"] + parts["between_s"] + parts["on_second_s"]
		r := row{
			"unit": c.Unit, "gauge_break": c.GaugeBreak, "places": strings.Join(t.Places, "+"), "gauges": all.gauges(c), "first_train": t.First, "second_train": t.Second,
			"arrived": instant(t.Arrived), "off_first_train": instant(t.OffAt), "on_second_train": instant(t.OnAt), "departed": instant(t.Departed), "state": state,
		}
		for part, s := range parts {
			r[part] = strconv.FormatInt(s, 10)
		}
		rows = append(rows, r)
	}
	return rows
}

// gauges are those on both sides of a gauge break, in the direction of a crossing.
func (all *told) gauges(c *pb.Crossing) string {
	for _, g := range all.cat.GaugeBreaks {
		if b, _ := all.cat.Border(c.Border); g.ID == c.GaugeBreak {
			from, to := g.From, g.To
			if b.A.Country != c.FromCountry {
				from, to = to, from
			}
			return fmt.Sprintf("%d-%d", from, to)
		}
	}
	return ""
}
