package delay

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// notice takes a restriction or an agreed exchange; of several with one source and id the greatest by (recorded_at, hash) counts, and
// one that was taken back never does.
func (f *fold) notice(ev *pb.Event) {
	key := ev.Source + "#" + ev.Id
	if rt := ev.GetRetraction(); rt != nil {
		key = ev.Source + "#" + rt.Id
	}
	old := f.notices[key]
	switch {
	case old.GetRetraction() != nil:
		return
	case old != nil && ev.GetRetraction() == nil && cmp.Or(cmp.Compare(ev.RecordedAt, old.RecordedAt), cmp.Compare(ev.Hash, old.Hash)) <= 0:
		return
	case ev.Late, ev.Classifier != pb.Classifier_ACTUAL && ev.GetBorderPlan() == nil:
		return
	}
	f.notices[key] = ev
	f.noted = nil
	f.touch(noticePiece + key)
}

// noted is what the notices say, found once: detectors ask at each point of the grid.
type noted struct {
	plans    map[dayPlan]*pb.Event
	planned  map[[2]string]bool          // borders and directions of the plans
	declared map[[2]string][]restriction // by border and direction; filled as it is asked for
}

type dayPlan struct{ border, direction, date string }

func (f *fold) read() *noted {
	if f.noted != nil {
		return f.noted
	}
	f.noted = &noted{plans: map[dayPlan]*pb.Event{}, planned: map[[2]string]bool{}, declared: map[[2]string][]restriction{}}
	for _, key := range sortedKeys(f.notices) {
		ev := f.notices[key]
		p := ev.GetBorderPlan()
		if p == nil || p.Direction == "" { // of which direction is not said
			continue
		}
		of := dayPlan{ev.Subject, plainDirection(p.Direction), p.Date}
		f.noted.planned[[2]string{of.border, of.direction}] = true
		if best := f.noted.plans[of]; best == nil || cmp.Or(cmp.Compare(ev.RecordedAt, best.RecordedAt), cmp.Compare(ev.Hash, best.Hash)) > 0 {
			f.noted.plans[of] = ev
		}
	}
	return f.noted
}

// forgetNotices drops what can say nothing any more.
func (f *fold) forgetNotices() {
	for key, ev := range f.notices { // nothing is told: the order does not show
		last := ev.Time
		if r := ev.GetRestriction(); r != nil {
			if r.Until == 0 {
				continue // nobody has lifted it
			}
			last = max(last, r.Until)
		}
		if last < f.dropped {
			delete(f.notices, key)
			f.noted = nil
			f.touch(noticePiece + key)
		}
	}
}

// restriction is one that is in force.
type restriction struct {
	id     string
	from   int64
	until  int64 // 0: not yet lifted
	closed bool  // closed or banned, and not limited
	*pb.Restriction
}

// restrictions are those of a border and direction that were declared, ordered by when they began.
func (f *fold) restrictions(border, direction string) []restriction {
	of, declared := [2]string{border, direction}, f.read().declared
	if found, ok := declared[of]; ok {
		return found
	}
	var out []restriction
	for _, key := range sortedKeys(f.notices) {
		ev := f.notices[key]
		r := ev.GetRestriction()
		if r == nil || !f.concerns(ev.Subject, border) || !sameDirection(r.Direction, direction) {
			continue
		}
		out = append(out, restriction{id: ev.Id, from: cmp.Or(r.From, ev.Time), until: r.Until, closed: r.Effect == "closed" || r.Effect == "banned", Restriction: r})
	}
	slices.SortStableFunc(out, func(a, b restriction) int { return cmp.Compare(a.from, b.from) })
	declared[of] = out
	return out
}

func (r *restriction) inForce(at int64) bool { return r.from <= at && (r.until == 0 || r.until > at) }

// text says what was declared, for people.
func (r *restriction) text() string {
	t := r.Effect
	if r.LimitPerDay != nil {
		t += " to " + number(*r.LimitPerDay) + " a day"
	}
	t += " since " + moment(r.from)
	if r.until != 0 {
		t += " until " + moment(r.until)
	}
	if r.Reason != "" {
		t += ": " + r.Reason
	}
	if ref := cmp.Or(r.Reference, r.id); ref != "" {
		t += " (" + ref + ")"
	}
	return t
}

// inForce is the strictest restriction of a border and direction; nil: none.
func (f *fold) inForce(border, direction string, at int64) *restriction {
	var found *restriction
	for _, r := range f.restrictions(border, direction) {
		if r.inForce(at) && (found == nil || r.closed && !found.closed) {
			found = &r
		}
	}
	return found
}

// concerns tells whether what is declared for a place, border, area or section concerns a border.
func (f *fold) concerns(subject, border string) bool {
	b, ok := f.cat.Border(border)
	if !ok {
		return false
	}
	if subject == border || subject == b.Area && !f.isBorder(subject) {
		return true
	}
	places := slices.Concat(b.A.Places, b.B.Places)
	if slices.Contains(places, subject) {
		return true
	}
	i := slices.IndexFunc(f.cat.Sections, func(s *network.Section) bool { return s.ID == subject })
	return i >= 0 && slices.Contains(places, f.cat.Sections[i].From) && slices.Contains(places, f.cat.Sections[i].To)
}

func (f *fold) isBorder(id string) bool {
	_, ok := f.cat.Border(id)
	return ok
}

// sameDirection tells whether a declared direction (none: both) is that of a flow.
func sameDirection(declared, direction string) bool {
	return declared == "" || declared == "both" || plainDirection(declared) == direction
}

// plainDirection writes "CN>KZ" and "CN -> KZ" as "CN-KZ".
func plainDirection(declared string) string {
	return strings.NewReplacer("->", "-", ">", "-", " ", "").Replace(declared)
}

// agreed is the exchange agreed for a railway day, trains; ok is false where none is known.
func (f *fold) agreed(border, direction, date string) (trains float64, ok bool) {
	ev := f.read().plans[dayPlan{border, direction, date}]
	return ev.GetBorderPlan().GetTrains(), ev != nil
}

// railwayDay is the day that a border counts trains in, by the side that is left.
func (f *fold) railwayDay(border, direction string, at int64) (date string, from, to int64) {
	day := network.RailwayDay{Zone: time.UTC, Start: network.DefaultDayStart}
	if b, ok := f.cat.Border(border); ok {
		from, _, _ := strings.Cut(direction, "-")
		day = b.DayOf(from)
	}
	date = day.Of(time.UnixMilli(at))
	begins, _, ends, _ := day.Bounds(date) // what Of names is a date
	return date, begins.UnixMilli(), ends.UnixMilli()
}
