package border

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"corridorwatch/processors/recompute"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// unit is what is known of one train, vessel, wagon or container, and what was last told of it.
type unit struct {
	id        string
	kind      pb.UnitKind
	rides     map[string]*pb.Ride // by run, place and n
	facts     *pb.RunFacts
	events    map[string]*pb.Event // own events by source and id
	retracted map[string]int64     // events taken back, which may come yet: when
	dropped   map[string]int64     // rides taken back: when dwell knew it
	sent      map[string]uint64
	newest    int64
	keep      int64 // not forgotten before: it was recomputed, and runs that carried it may follow
	ended     int64 // when the last of the journeys that were forgotten ended
	dirty     bool
	touched   bool   // changed since the last checkpoint
	idle      bool   // nothing has come since units were last looked through
	asleep    []byte // what append wrote of all this, instead of the sets; nil: awake
	forget    int64  // of one asleep: what forgetAt says
}

func newUnit(id string, kind pb.UnitKind) *unit {
	return &unit{id: id, kind: kind, rides: map[string]*pb.Ride{}, events: map[string]*pb.Event{}, retracted: map[string]int64{}, dropped: map[string]int64{}, sent: map[string]uint64{}}
}

// carries tells whether the unit is a vehicle itself: its own rides are its visits.
func (u *unit) isVehicle() bool { return u.kind == pb.UnitKind_TRAIN || u.kind == pb.UnitKind_VESSEL }

// Key under which a unit holds a ride.
func rideKey(r *pb.Ride) string {
	return r.Run + "|" + r.Visit.GetPlace() + "|" + strconv.Itoa(int(r.Visit.GetN()))
}

func (u *unit) ride(r *pb.Ride, deleted bool, knownAt int64) bool {
	key := rideKey(r)
	if deleted {
		delete(u.rides, key)
		u.dropped[key] = knownAt
	} else if u.ofEnded(r) {
		return false
	} else {
		delete(u.dropped, key)
		u.rides[key] = r
	}
	return true
}

// event takes one of the unit's own events; of several with one source and id the greatest by (recorded_at, hash) counts.
func (u *unit) event(ev *pb.Event) bool {
	key := ev.Source + "#" + ev.Id
	if rt := ev.GetRetraction(); rt != nil {
		target := ev.Source + "#" + rt.Id
		if old, known := u.retracted[target]; known && old >= ev.Time {
			return false
		}
		u.retracted[target] = ev.Time
		delete(u.events, target)
		return true
	}
	if _, gone := u.retracted[key]; gone || tablesAlone(ev) || ev.Classifier != pb.Classifier_ACTUAL {
		return false
	}
	if old := u.events[key]; old != nil && cmp.Or(cmp.Compare(ev.RecordedAt, old.RecordedAt), cmp.Compare(ev.Hash, old.Hash)) <= 0 {
		return false
	}
	u.events[key] = ev
	return true
}

// tablesAlone tells that an event is for the tables alone: money, and what a load unit's own tracker says. Where the unit is its
// vehicles and its reports tell.
func tablesAlone(ev *pb.Event) bool { return ev.GetCost() != nil || ev.Verb == pb.Verb_POSITION }

// stay is a visit with the vehicles it came and went by.
type stay struct {
	*pb.Visit
	run    string     // vehicle that brought it here
	n      uint32     // the vehicle's visit number
	boards []*board   // of a load unit: the vehicles it was on, in order of time
	own    []*pb.Span // activities reported of the load unit itself
	began  int64      // start of the first stay that was joined into this one
}

func (s *stay) start() int64 {
	return firstSet(s.Entered.GetAt(), s.Arrived.GetAt(), s.Departed.GetAt(), s.Entered.GetLatest(), s.Left.GetAt())
}

func (s *stay) end() int64 {
	return firstSet(s.Left.GetAt(), s.Departed.GetAt())
}

// came is when it arrived at the place, or passed it: the middle of the way through the fence.
func (s *stay) came() int64 {
	if at := s.Arrived.GetAt(); at != 0 {
		return at
	}
	if !s.Stopped && s.Entered.GetAt() != 0 && s.Left.GetAt() != 0 {
		return (s.Entered.At + s.Left.At) / 2
	}
	return s.start()
}

// went is when it departed from the place, or passed it; 0 while it is there.
func (s *stay) went() int64 {
	if s.Stopped {
		return firstSet(s.Departed.GetAt(), s.Left.GetAt())
	}
	return s.came()
}

func firstSet(times ...int64) int64 {
	for _, t := range times {
		if t != 0 {
			return t
		}
	}
	return 0
}

// journey is a series of stays that belong together.
type journey struct {
	id     string
	stays  []*stay
	closed bool
}

// compute tells what follows from the set now.
func (u *unit) compute(cat *network.Catalog, now int64, out *stream.Out) {
	t := teller{u: u, cat: cat, out: out, kept: make(map[string]uint64, len(u.sent))}
	stays := u.stays()
	u.newest = 0
	for _, s := range stays {
		u.newest = max(u.newest, s.start(), s.end())
	}
	for _, e := range u.events {
		u.newest = max(u.newest, e.Time)
	}
	for _, t := range u.retracted {
		u.newest = max(u.newest, t)
	}
	if u.facts != nil {
		u.newest = max(u.newest, u.facts.EndedAt)
	}
	journeys := u.journeys(stays)
	for _, j := range journeys {
		if !u.isVehicle() {
			for i, s := range j.stays {
				s.Transfer = transferAt([]*stay{s}, i+1 < len(j.stays))
				t.visit(s.Visit)
			}
		}
		way := match(cat, j.stays, u.facts)
		for _, leg := range u.legs(cat, j, way) {
			t.leg(leg)
		}
		for _, c := range u.crossings(cat, j, way) {
			t.crossing(c)
		}
	}
	if u.isVehicle() {
		t.vehicle(stays)
	}
	t.deleteRest()
	u.sent = t.kept
	u.forgetEnded(journeys, now)
}

// journeys cuts the stays of a load unit where one journey ends, or is longer than any; a run is one journey.
func (u *unit) journeys(stays []*stay) []journey {
	if len(stays) == 0 {
		return nil
	}
	if u.isVehicle() {
		closed := u.facts != nil && (u.facts.State == pb.State_CLOSED || u.facts.State == pb.State_LOST)
		return []journey{{id: u.id, stays: stays, closed: closed}}
	}
	opens, closes := u.milestones()
	var all []journey
	used := map[string]int{}
	var j *journey
	last := int64(0)
	for _, s := range stays {
		closedBy := slices.IndexFunc(closes, func(t int64) bool { return t >= last && t <= s.start() })
		if j == nil || s.start()-last > journeyGap || last > 0 && closedBy >= 0 || len(j.stays) >= mostStays {
			day := dateOf(opening(opens, last, s.start()))
			used[day]++
			id := u.id + "/" + day
			if used[day] > 1 {
				id += "-" + strconv.Itoa(used[day])
			}
			if j != nil {
				j.closed = true
			}
			all = append(all, journey{id: id})
			j = &all[len(all)-1]
		}
		j.stays = append(j.stays, s)
		last = max(s.start(), s.end())
	}
	for _, t := range closes {
		j.closed = j.closed || t >= last
	}
	for i := range all {
		number(all[i])
	}
	return all
}

// milestones are the times at which journeys open and close.
func (u *unit) milestones() (opens, closes []int64) {
	for _, e := range u.events {
		switch e.GetMilestone().GetMilestone() {
		case "booked", "gate_in":
			opens = append(opens, e.Time)
		case "delivered", "gate_out":
			closes = append(closes, e.Time)
		}
	}
	slices.Sort(opens)
	slices.Sort(closes)
	return opens, closes
}

// opening is the first milestone that opens a journey between the last one's end and its first stay, else the stay.
func opening(opens []int64, last, first int64) int64 {
	for _, t := range opens {
		if t > last && t <= first {
			return t
		}
	}
	return first
}

// number gives the stays of a load unit their journey and n.
func number(j journey) {
	count := map[string]uint32{}
	for _, s := range j.stays {
		count[s.Place]++
		s.Journey, s.N = j.id, count[s.Place]
	}
}

// forgetAt is when nothing more can come for the unit, if nothing comes until then.
func (u *unit) forgetAt() int64 {
	if u.asleep != nil {
		return u.forget
	}
	soon, late := max(u.newest+forgetMS, u.keep), int64(math.MaxInt64)
	for _, at := range u.dropped {
		soon = max(soon, at+recompute.HoldMS) // a recompute read before may still bring the ride back
	}
	if len(u.rides)+len(u.events)+len(u.retracted) == 0 && u.facts == nil {
		return soon // an older epoch had told of it
	}
	if u.isVehicle() {
		if u.facts != nil && (u.facts.State == pb.State_CLOSED || u.facts.State == pb.State_LOST) {
			return soon
		}
		return late
	}
	_, closes := u.milestones()
	if len(closes) > 0 && closes[len(closes)-1] >= u.newest {
		return soon
	}
	return soon + journeyGap + 1
}

// teller emits what differs from what was last told.
type teller struct {
	u    *unit
	cat  *network.Catalog
	out  *stream.Out
	kept map[string]uint64
}

func (t *teller) visit(v *pb.Visit) {
	if t.upsert(visitKey(v), schemas.Visits, &pb.Record{Body: &pb.Record_Visit{Visit: v}}, v) && t.cat.Usual(v.Place) {
		t.out.Emit(schemas.AreaEvents, t.cat.Area(v.Place), &pb.Record{Body: &pb.Record_Visit{Visit: v}})
	}
}

func (t *teller) leg(l *pb.Leg) {
	t.upsert(legKey(l), schemas.Legs, &pb.Record{Body: &pb.Record_Leg{Leg: l}}, l)
}

func (t *teller) crossing(c *pb.Crossing) {
	if t.upsert(crossingKey(c), schemas.Crossings, &pb.Record{Body: &pb.Record_Crossing{Crossing: c}}, c) {
		t.out.Emit(schemas.AreaEvents, c.Area, &pb.Record{Body: &pb.Record_Crossing{Crossing: c}})
	}
}

// Keys under which a unit remembers what it told.
func visitKey(v *pb.Visit) string {
	return "v|" + v.Journey + "|" + v.Place + "|" + strconv.Itoa(int(v.N))
}
func legKey(l *pb.Leg) string {
	return "l|" + l.Journey + "|" + l.From + "|" + l.To + "|" + strconv.Itoa(int(l.N))
}
func crossingKey(c *pb.Crossing) string {
	return "c|" + c.Journey + "|" + c.Border + "|" + strconv.Itoa(int(c.N))
}

// Retell lets a row that an older epoch told be told anew in the next round, or deleted.
func (f *fold) Retell(rec *pb.Record) {
	id, kind, key := rowOf(rec)
	if key == "" {
		return
	}
	u := f.unit(id, kind)
	u.sent[key] = unknown
	f.computeLater(u)
}

// unknown stands for what somebody else told: the sum of nothing that was ever told.
const unknown = ^uint64(0)

// rowOf says which unit tells rec, and under which key it remembers that; no key if it is none of its rows.
func rowOf(rec *pb.Record) (id string, kind pb.UnitKind, key string) {
	switch b := rec.Body.(type) {
	case *pb.Record_Visit:
		if b.Visit.UnitKind == pb.UnitKind_TRAIN || b.Visit.UnitKind == pb.UnitKind_VESSEL {
			return b.Visit.Unit, b.Visit.UnitKind, stayKey(b.Visit)
		}
		return b.Visit.Unit, b.Visit.UnitKind, visitKey(b.Visit)
	case *pb.Record_RunFacts:
		return b.RunFacts.Unit, b.RunFacts.UnitKind, holdsKey(b.RunFacts.Run)
	case *pb.Record_Leg:
		return b.Leg.Unit, b.Leg.UnitKind, legKey(b.Leg)
	case *pb.Record_Crossing:
		return b.Crossing.Unit, b.Crossing.UnitKind, crossingKey(b.Crossing)
	}
	return "", 0, ""
}

func (t *teller) deleteRest() {
	u := t.u
	for _, key := range sortedKeys(u.sent) {
		if _, ok := t.kept[key]; ok {
			continue
		}
		what, rest, _ := strings.Cut(key, "|")
		if what == "h" {
			t.out.Emit(schemas.AreaEvents, rest, &pb.Record{Deleted: true, Body: &pb.Record_RunFacts{RunFacts: &pb.RunFacts{Unit: u.id, UnitKind: u.kind, Run: rest}}})
			continue
		}
		rest, last := cutLast(rest)
		num, _ := strconv.Atoi(last)
		n := uint32(num)
		journey, place := cutLast(rest)
		switch what {
		case "v", "s":
			v := &pb.Visit{Unit: u.id, UnitKind: u.kind, Journey: journey, Place: place, N: n}
			if what == "v" {
				t.out.Emit(schemas.Visits, u.id, &pb.Record{Deleted: true, Body: &pb.Record_Visit{Visit: v}})
			}
			if t.cat.Usual(place) {
				t.out.Emit(schemas.AreaEvents, t.cat.Area(place), &pb.Record{Deleted: true, Body: &pb.Record_Visit{Visit: v}})
			}
		case "l":
			journey, from := cutLast(journey)
			t.out.Emit(schemas.Legs, u.id, &pb.Record{Deleted: true, Body: &pb.Record_Leg{Leg: &pb.Leg{
				Unit: u.id, UnitKind: u.kind, Journey: journey, From: from, To: place, N: n}}})
		case "c":
			c := &pb.Crossing{Unit: u.id, UnitKind: u.kind, Journey: journey, Border: place, N: n}
			t.out.Emit(schemas.Crossings, u.id, &pb.Record{Deleted: true, Body: &pb.Record_Crossing{Crossing: c}})
			if b, ok := t.cat.Border(place); ok {
				t.out.Emit(schemas.AreaEvents, b.Area, &pb.Record{Deleted: true, Body: &pb.Record_Crossing{Crossing: c}})
			}
		}
	}
}

// cutLast cuts the last part off a key: the journey, which may be the id of a run and hold bars itself, stands first.
func cutLast(key string) (rest, last string) {
	at := strings.LastIndexByte(key, '|')
	return key[:max(at, 0)], key[at+1:]
}
