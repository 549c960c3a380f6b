package simulator

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"corridorwatch/schemas/pb"
)

// run is one vehicle run of a trip: its path, its calls, and its events as they are asked for.
type run struct {
	id, source string
	kind       pb.UnitKind
	calls      []call
	knots      []knot
	rnd        *rand.Rand
	cargo      *cargo
	part       int  // of the trip, from 0
	last       bool // of the trip

	planned  []*pb.PlanStop // at first, where it was sent another way later
	diverted int64          // when it was; 0: never

	reports  []*pb.Event // by time; the next one first
	interval int64
	noise    float64
	fixAt    int64 // next position
	fixes    int64
	at       int // knot before fixAt
	gaps     []span
}

// open makes the run's reports and sets it to its first event.
func (r *run) open(cfg Config) {
	r.interval, r.noise = cfg.Interval.Milliseconds(), cfg.NoiseM
	begin := r.knots[0].t
	r.fixAt = begin
	if start := cfg.Start.UnixMilli(); begin < start {
		r.fixes = (start - begin + r.interval - 1) / r.interval
		r.fixAt = begin + r.fixes*r.interval
	}
	r.skipDark()
	r.reports = r.allReports(cfg)
	// What happened before the start is left out, but for what says what the run is: its plan, its composition and its consignments.
	r.reports = slices.DeleteFunc(r.reports, func(e *pb.Event) bool {
		if e.Time >= cfg.Start.UnixMilli() {
			return false
		}
		if e.Verb == pb.Verb_PLANNED || e.Verb == pb.Verb_COMPOSITION || e.Verb == pb.Verb_DECLARED {
			e.Time, e.RecordedAt, e.Place = cfg.Start.UnixMilli(), cfg.Start.UnixMilli(), ""
			return false
		}
		return true
	})
	slices.SortStableFunc(r.reports, func(a, b *pb.Event) int { return cmp.Compare(a.Time, b.Time) })
	if cfg.GapEvery > 0 {
		for t := begin; t < min(r.end(), cfg.Start.Add(cfg.Duration).UnixMilli()); {
			t += int64(r.rnd.ExpFloat64() * float64(cfg.GapEvery.Milliseconds()))
			until := t + int64(r.rnd.ExpFloat64()*float64(cfg.GapLength.Milliseconds()))
			r.gaps = append(r.gaps, span{from: t, to: until})
			t = until
		}
	}
}

// end is when the run ends; before all times if it has no vehicle.
func (r *run) end() int64 {
	if len(r.knots) == 0 {
		return math.MinInt64
	}
	return r.knots[len(r.knots)-1].t
}

func (r *run) estimate(cfg Config) int {
	from, to := max(r.knots[0].t, cfg.Start.UnixMilli()), min(r.end(), cfg.Start.Add(cfg.Duration).UnixMilli())
	return int(max(to-from, 0)/r.interval) + len(r.reports)
}

// gap tells whether a position at t is not sent at once, and when it is.
func (r *run) gap(t int64) (until int64, lost bool) {
	for _, g := range r.gaps {
		if t >= g.from && t < g.to {
			return g.to, true
		}
	}
	return 0, false
}

// nextAt is the time of the next event, MaxInt64 at the end.
func (r *run) nextAt() int64 {
	t := int64(math.MaxInt64)
	if r.fixAt <= r.end() {
		t = r.fixAt
	}
	if len(r.reports) > 0 {
		t = min(t, r.reports[0].Time)
	}
	return t
}

func (r *run) next() *pb.Event {
	if len(r.reports) > 0 && (r.reports[0].Time <= r.fixAt || r.fixAt > r.end()) {
		e := r.reports[0]
		r.reports = r.reports[1:]
		return e
	}
	e := r.position()
	r.fixes++
	r.fixAt += r.interval
	r.skipDark()
	return e
}

// skipDark goes on to the next position that the tracker tells.
func (r *run) skipDark() {
	for ; r.fixAt <= r.end(); r.fixes, r.fixAt = r.fixes+1, r.fixAt+r.interval {
		for r.at+1 < len(r.knots) && r.knots[r.at+1].t <= r.fixAt {
			r.at++
		}
		if !r.knots[r.at].dark {
			return
		}
	}
}

const metresPerDegree = math.Pi / 180 * 6371008.8

func (r *run) position() *pb.Event {
	a := r.knots[r.at]
	lat, lon := a.lat, a.lon
	if r.at+1 < len(r.knots) {
		b := r.knots[r.at+1]
		f := float64(r.fixAt-a.t) / float64(max(b.t-a.t, 1))
		lat, lon = lat+f*(b.lat-lat), lon+f*(b.lon-lon)
	}
	if r.noise > 0 {
		lat += r.noise * r.rnd.NormFloat64() / metresPerDegree
		lon += r.noise * r.rnd.NormFloat64() / metresPerDegree / math.Cos(lat*math.Pi/180)
	}
	return &pb.Event{
		Source: r.source, Id: r.id + "/" + strconv.FormatInt(r.fixes, 10), Verb: pb.Verb_POSITION, UnitKind: r.kind, Subject: r.id, Time: r.fixAt, RecordedAt: r.fixAt,
		Data: &pb.Event_Position{Position: &pb.Position{LatE7: int32(math.Round(lat * 1e7)), LonE7: int32(math.Round(lon * 1e7))}},
	}
}

// allReports are the run's events besides positions, in the order in which they are numbered.
func (r *run) allReports(cfg Config) []*pb.Event {
	var out []*pb.Event
	source := r.source
	add := func(t int64, verb pb.Verb, place string) *pb.Event {
		e := &pb.Event{Source: source, Id: fmt.Sprintf("%s/r%d", r.id, len(out)), Verb: verb, UnitKind: r.kind, Subject: r.id, Time: t, RecordedAt: t, Place: place}
		if source != r.source && !cfg.Even {
			e.RecordedAt += r.rnd.Int64N(reportDelay)
		}
		out = append(out, e)
		return e
	}
	from, first, ok := r.seenFrom()
	if ok {
		source = r.tells(&r.calls[first])
		plan := func(t int64, stops []*pb.PlanStop) {
			add(t, pb.Verb_PLANNED, "").Data = &pb.Event_Plan{Plan: &pb.Plan{Stops: stops, Destination: stops[len(stops)-1].Place}}
		}
		if r.diverted > from {
			plan(from, r.planned)
			plan(r.diverted, r.stops())
		} else {
			plan(from, r.stops())
		}
	}
	country := ""
	for i := range r.calls {
		c := &r.calls[i]
		if !c.seen() {
			continue
		}
		source = r.tells(c)
		if cfg.Containers && i == first {
			place := c.place.ID
			if i > 0 && c.feed == GPS {
				place = ""
			}
			add(from, pb.Verb_COMPOSITION, place).Data = &pb.Event_Composition{Composition: r.cargo.composition(r)}
		} else if cfg.Containers && c.feed == Reports && c.place.Country != country { // a railway without GPS writes a list of its own
			add(c.arrive, pb.Verb_COMPOSITION, c.place.ID).Data = &pb.Event_Composition{Composition: r.cargo.composition(r)}
		}
		country = c.place.Country
		r.callReports(c, i == 0, add)
	}
	if last := &r.calls[len(r.calls)-1]; last.seen() {
		source = r.tells(last)
		add(r.end(), pb.Verb_ENDED, last.place.ID).Data = &pb.Event_Ended{Ended: &pb.Ended{}}
	}
	if cfg.Containers {
		out = append(out, r.cargo.reports(r)...)
		out = append(out, r.statuses(cfg)...)
	}
	return out
}

// stops are the calls with their planned times.
func (r *run) stops() (all []*pb.PlanStop) {
	for i := range r.calls {
		c := &r.calls[i]
		all = append(all, &pb.PlanStop{Place: c.place.ID, Arrival: c.plannedArr, Departure: c.plannedDep})
	}
	return all
}

// callReports are those of one call. Where the run is formed it does not arrive.
func (r *run) callReports(c *call, formed bool, add func(int64, pb.Verb, string) *pb.Event) {
	if c.reported() {
		if c.stops() {
			if !formed {
				add(c.arrive, pb.Verb_ARRIVED, c.place.ID).Data = &pb.Event_Movement{Movement: &pb.Movement{PlannedTime: c.plannedArr}}
			}
			add(c.left, pb.Verb_DEPARTED, c.place.ID).Data = &pb.Event_Movement{Movement: &pb.Movement{PlannedTime: c.plannedDep}}
		} else {
			add(c.arrive, pb.Verb_PASSED, c.place.ID).Data = &pb.Event_Movement{Movement: &pb.Movement{}}
		}
	}
	handover := func(at int64, state pb.Handover_State, cause string) {
		add(at, pb.Verb_HANDOVER, "").Data = &pb.Event_Handover{Handover: &pb.Handover{Border: c.border, State: state, Cause: cause}}
	}
	for _, at := range c.offers {
		handover(at, pb.Handover_OFFERED, "")
	}
	for _, no := range c.refusals {
		handover(no.from, pb.Handover_REFUSED, no.cause)
	}
	if len(c.offers) > 0 {
		handover(c.accepted, pb.Handover_ACCEPTED, "")
	}
	if c.held != 0 {
		held := func(at int64, verb pb.Verb) {
			add(at, verb, c.place.ID).Data = &pb.Event_Held{Held: &pb.Held{BoundFor: c.boundFor, Cause: c.heldCause}}
		}
		held(c.held, pb.Verb_HELD)
		held(c.until, pb.Verb_RESUMED)
	}
	for _, s := range c.spans {
		add(s.from, pb.Verb_ACTIVITY, c.place.ID).Data = &pb.Event_Activity{Activity: &pb.Activity{Kind: s.kind, Cause: s.cause, State: pb.Activity_STARTED}}
		add(s.to, pb.Verb_ACTIVITY, c.place.ID).Data = &pb.Event_Activity{Activity: &pb.Activity{Kind: s.kind, Cause: s.cause, State: pb.Activity_FINISHED}}
	}
}
