package border

import (
	"slices"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// way is the corridor a journey follows, and how that is known.
type way struct{ corridor, direction, basis string }

// match finds the corridor that holds the places in order: by plan where there is one that fits just one corridor, else by what
// was observed.
func match(cat *network.Catalog, stays []*stay, facts *pb.RunFacts) way {
	if facts != nil && len(facts.Plan) > 1 {
		var places []string
		for _, s := range facts.Plan {
			places = append(places, s.Place)
		}
		if w := fit(cat, places, "planned"); w.basis == "planned" {
			return w
		}
	}
	var places []string
	for _, s := range stays {
		places = append(places, s.Place)
	}
	return fit(cat, places, "observed")
}

func fit(cat *network.Catalog, places []string, basis string) way {
	var found way
	for _, k := range cat.Corridors {
		d := inOrder(k.Places, places)
		switch {
		case d == "":
		case found.corridor != "":
			found.basis = "ambiguous"
		default:
			found = way{k.ID, d, basis}
		}
	}
	return found
}

// inOrder tells whether places lie on the corridor in its order ("up") or against it ("down").
func inOrder(corridor, places []string) string {
	up, down, last := true, true, -1
	for i, p := range places {
		at := slices.Index(corridor, p)
		if at < 0 {
			return ""
		}
		if i > 0 {
			up, down = up && at >= last, down && at <= last
		}
		last = at
	}
	switch {
	case len(places) < 2:
		return ""
	case up:
		return "up"
	case down:
		return "down"
	}
	return ""
}

// legs are the ways between stays that follow one another. They tile the journey: a leg begins with the arrival at its first
// place (where the journey begins with the departure) and ends with the arrival at its second, so that stopping is counted once.
//
// SWD is km over elapsed, SWOD km over moving time (CAREC CPMM), over the sums of any legs.
func (u *unit) legs(cat *network.Catalog, j journey, w way) []*pb.Leg {
	var out []*pb.Leg
	count := map[string]uint32{}
	for i := 1; i < len(j.stays); i++ {
		a, b := j.stays[i-1], j.stays[i]
		departed, arrived := a.went(), b.came()
		if departed == 0 || arrived == 0 || arrived < departed && a.Departed.GetBasis() != pb.Basis_REPORT {
			continue
		}
		count[a.Place+"|"+b.Place]++
		l := &pb.Leg{
			Unit: u.id, UnitKind: u.kind, Journey: j.id, From: a.Place, To: b.Place, N: count[a.Place+"|"+b.Place], Vehicle: a.vehicleOut(u),
			StartedAt: a.came(), DepartedAt: departed, ArrivedAt: arrived,
			Corridor: w.corridor, CorridorBasis: w.basis, Direction: w.direction, State: pb.State_CLOSED,
		}
		if i == 1 && (a.Origin || !u.isVehicle()) { // a run that was seen to arrive at its first place began elsewhere
			l.StartedAt = departed
		}
		l.ElapsedS = (arrived - l.StartedAt) / 1000
		l.StopS = (departed - l.StartedAt) / 1000
		l.StandingS = min(l.StopS+b.LineStandingS, max(l.ElapsedS, l.StopS)) // more than elapsed, and moving less than nothing, by clocks that oppose
		l.MovingS = l.ElapsedS - l.StandingS
		along(cat, l)
		out = append(out, l)
	}
	return out
}

func (s *stay) vehicleOut(u *unit) string {
	if u.isVehicle() {
		return u.id
	}
	return s.VehicleOut
}

// along fills in what the catalogue says of the way.
func along(cat *network.Catalog, l *pb.Leg) {
	from, _ := cat.Place(l.From)
	to, _ := cat.Place(l.To)
	if from == nil || to == nil {
		return
	}
	l.FromCountry, l.ToCountry = from.Country, to.Country
	for _, s := range cat.BorderSides(l.From) {
		if slices.Contains(append(slices.Clone(s.Border.A.Places), s.Border.B.Places...), l.To) && from.Country != to.Country {
			l.Border = s.Border.ID
		}
	}
	route, ok := cat.Route(l.From, l.To, time.UnixMilli(l.DepartedAt))
	if !ok || len(route.Sections) == 0 {
		return
	}
	l.Km, l.Skipped, l.Mode = route.Km, uint32(len(route.Places)-2), route.Sections[0].Mode
	if len(route.Sections) == 1 {
		l.Section = route.Sections[0].ID
	}
	for _, s := range route.Sections {
		if s.Mode == "sea" {
			l.Mode = "sea"
		}
	}
}
