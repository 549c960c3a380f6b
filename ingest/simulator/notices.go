package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"corridorwatch/schemas/pb"
)

// Notice is a restriction or an agreed exchange as the world's railways announced it.
type Notice struct {
	Kind              string // "restriction" or "plan"
	Border, Direction string
	Reference         string  // of a restriction
	Effect            string  // of a restriction: closed or limited
	From, Until       int64   // of a restriction; Until 0: not yet lifted
	PerDay            float64 // of a limit, or trains agreed
	Date              string  // of a plan
}

// notices are what railways tell one another, as a run without a vehicle: restrictions when they are laid on and when they are
// lifted, and for each border that trains cross the agreed exchange of each day, at noon UTC of the day before.
func notices(cfg Config, g *gates) (*run, []Notice) {
	out := &run{fixAt: math.MaxInt64}
	var told []Notice
	start, end := cfg.Start.UnixMilli(), cfg.Start.Add(cfg.Duration).UnixMilli()
	add := func(id string, verb pb.Verb, subject string, at int64) *pb.Event {
		e := &pb.Event{Source: "simulator/railways", Id: id, Verb: verb, Subject: subject, Time: at, RecordedAt: at}
		out.reports = append(out.reports, e)
		return e
	}
	for i, r := range cfg.Restrictions {
		from, until := r.From.UnixMilli(), untilMS(r.Until)
		if until <= start || from >= end {
			continue
		}
		n := Notice{Kind: "restriction", Border: r.Border, Direction: r.Direction, Reference: r.reference(i), Effect: "closed", From: from, PerDay: r.PerDay}
		data := &pb.Restriction{Effect: "closed", Direction: r.Direction, From: from, Reason: cmp.Or(r.Reason, "not said"), Reference: n.Reference}
		if r.PerDay > 0 || r.Slow > 1 {
			n.Effect, data.Effect = "limited", "limited"
			if r.PerDay > 0 {
				data.LimitPerDay = new(r.PerDay)
			}
		}
		add(n.Reference, pb.Verb_RESTRICTION, r.Border, max(from, start)).Data = &pb.Event_Restriction{Restriction: data}
		if until < end {
			n.Until = until
			lifted := &pb.Restriction{Effect: data.Effect, Direction: data.Direction, LimitPerDay: data.LimitPerDay, From: from, Until: until, Reason: data.Reason, Reference: data.Reference}
			add(n.Reference, pb.Verb_RESTRICTION, r.Border, until).Data = &pb.Event_Restriction{Restriction: lifted}
		}
		told = append(told, n)
	}
	for _, key := range slices.Sorted(maps.Keys(g.all)) {
		gate := g.all[key]
		b, _ := cfg.Catalog.Border(gate.border)
		if b.Sea {
			continue
		}
		for day := start/dayMS + 1; day*dayMS < end; day++ {
			at := day*dayMS - dayMS/2
			date := time.UnixMilli(day * dayMS).UTC().Format(time.DateOnly)
			trains := math.Round(float64(dayMS) / float64(gate.every))
			add(fmt.Sprintf("plan/%s/%s/%s", b.ID, gate.direction, date), pb.Verb_BORDER_PLAN, b.ID, at).Data =
				&pb.Event_BorderPlan{BorderPlan: &pb.BorderPlan{Direction: gate.direction, Date: date, Trains: trains}}
			told = append(told, Notice{Kind: "plan", Border: b.ID, Direction: gate.direction, Date: date, PerDay: trains})
		}
	}
	slices.SortStableFunc(out.reports, func(a, b *pb.Event) int { return cmp.Compare(a.Time, b.Time) })
	return out, told
}

func (r *Restriction) reference(i int) string {
	return cmp.Or(r.Reference, fmt.Sprintf("telegram-%s-%d", r.From.UTC().Format("20060102"), i+1))
}
