package border

import (
	"slices"
	"strconv"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Keys under which a vehicle remembers what it told the delay stage alone.
func stayKey(v *pb.Visit) string {
	return "s|" + v.Journey + "|" + v.Place + "|" + strconv.Itoa(int(v.N))
}
func holdsKey(area string) string { return "h|" + area }

// vehicle tells the delay stage of a vehicle's stops, of which dwell writes the rows, and of how it is held upstream for a border.
func (t *teller) vehicle(stays []*stay) {
	for _, s := range stays {
		if v := s.Visit; v.Stopped && t.cat.Usual(v.Place) && t.upsert(stayKey(v), "", nil, v) {
			t.out.Emit(schemas.AreaEvents, t.cat.Area(v.Place), &pb.Record{Body: &pb.Record_Visit{Visit: v}})
		}
	}
	for _, facts := range t.u.holds(t.cat, stays) {
		if t.upsert(holdsKey(facts.Run), "", nil, facts) {
			t.out.Emit(schemas.AreaEvents, facts.Run, &pb.Record{Body: &pb.Record_RunFacts{RunFacts: facts}})
		}
	}
}

// holds are the times a vehicle was held upstream, by the area of the border it was bound for.
func (u *unit) holds(cat *network.Catalog, stays []*stay) []*pb.RunFacts {
	var out []*pb.RunFacts
	if u.facts == nil {
		return nil
	}
	for _, s := range u.facts.Held {
		b, ok := cat.Border(s.BoundFor)
		if !ok || s.From == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(f *pb.RunFacts) bool { return f.Run == b.Area })
		if i < 0 {
			i = len(out)
			out = append(out, &pb.RunFacts{Unit: u.id, UnitKind: u.kind, Run: b.Area})
		}
		out[i].Holds = append(out[i].Holds, &pb.Hold{Border: b.ID, Direction: direction(cat, b, lastBefore(stays, s.From), s.From), From: s.From, To: s.To, Cause: s.Cause})
	}
	slices.SortFunc(out, func(a, b *pb.RunFacts) int { return slices.Compare([]byte(a.Run), []byte(b.Run)) })
	return out
}

// lastBefore is the last place a vehicle had come to by a time, else its first; empty if there is none.
func lastBefore(stays []*stay, at int64) string {
	place := ""
	for i, s := range stays {
		if i == 0 || s.start() <= at {
			place = s.Place
		}
	}
	return place
}

// direction is how a vehicle at a place will cross a border: from the side of its country, else from the side it comes to first.
func direction(cat *network.Catalog, b *network.Border, place string, at int64) string {
	from, to := b.A.Country, b.B.Country
	p, ok := cat.Place(place)
	switch {
	case ok && p.Country == to:
		from, to = to, from
	case ok && p.Country != from:
		a, okA := cat.Route(place, b.A.Places[0], time.UnixMilli(at))
		z, okZ := cat.Route(place, b.B.Places[0], time.UnixMilli(at))
		if okZ && (!okA || z.Km < a.Km) {
			from, to = to, from
		}
	}
	return from + "-" + to
}
