package dwell

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// run is the set of events of one run, and what was last told of it.
type run struct {
	id   string
	kind pb.UnitKind

	fixes     []fix // by time, thinned; older ones are in frozen
	buried    []fix // those that were taken back
	reports   []*pb.Event
	times     map[uint64]int64 // of every fix and report, by event
	retracted map[uint64]int64 // what was taken back: when that was said, or its own time if that is later
	takenBack int64            // greatest time of a retraction: the age of a run of which nothing else has come yet
	newest    int64            // time of the newest evidence
	alive     int64            // the same; of a run that is only planned so far the last time its plan speaks of
	fed       int64            // when the last event was accepted: what came since a recompute was read must be held until it is folded

	frozen  machine
	now     machine // frozen and the first `done` fixes
	done    int
	hours   []mark
	changed int64 // earliest time of a fix that came since; MaxInt64: none

	sent  map[string]uint64 // hash of the last message by key
	state pb.State
	ended int64

	dirty   bool
	touched bool  // changed since the last checkpoint
	wakes   int64 // the next timer, 0 when none is armed

	// What follows can be computed again from the rest.
	shown       what
	rewound     bool
	reportsSeen int // grows with every change of reports
	last        *visit
	wagons      uint32
	containers  uint32
}

// mark is the machine before the first fix of an hour.
type mark struct {
	hour int64
	done int
	m    machine
}

func newRun(id string, kind pb.UnitKind) *run {
	return &run{id: id, kind: kind, times: map[uint64]int64{}, retracted: map[uint64]int64{}, sent: map[string]uint64{}, changed: math.MaxInt64, rewound: true}
}

// add puts an event into the set and tells whether that changed anything.
func (r *run) add(ev *pb.Event) bool {
	if ev.GetCost() != nil {
		return false // of a recompute: money says nothing of where the run was
	}
	key := eventKey(ev.Source, ev.Id)
	r.fed = max(r.fed, ev.AcceptedAt)
	if rt := ev.GetRetraction(); rt != nil {
		target := eventKey(ev.Source, rt.Id)
		later := ev.Time > r.takenBack
		r.takenBack = max(r.takenBack, ev.Time)
		_, again := r.retracted[target]
		r.retracted[target] = max(r.retracted[target], ev.Time, ev.AcceptedAt, r.times[target])
		if again {
			return later
		}
		r.reportsSeen++
		r.remove(target)
		return true
	}
	if at, gone := r.retracted[key]; gone {
		r.retracted[key] = max(at, ev.Time)
	}
	p := ev.GetPosition()
	if ev.Classifier != pb.Classifier_ACTUAL {
		p = nil
	}
	if p != nil && r.isRetracted(key) {
		before := len(r.fixes)
		r.addFix(ev, p, key)
		return len(r.fixes) != before
	}
	if r.isRetracted(key) || ev.ImpliedBy != "" && r.isRetracted(eventKey(ev.Source, ev.ImpliedBy)) {
		return false
	}
	if old, ok := r.times[key]; ok {
		if !r.supersedes(ev.RecordedAt, ev.Hash, key, old) {
			return false
		}
		r.remove(key)
	}
	r.times[key] = ev.Time
	if p != nil {
		r.addFix(ev, p, key)
	} else {
		return r.addReport(ev)
	}
	return true
}

func (r *run) isRetracted(key uint64) bool {
	_, ok := r.retracted[key]
	return ok
}

func compareEvents(a, b *pb.Event) int {
	return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.RecordedAt, b.RecordedAt), cmp.Compare(a.Hash, b.Hash),
		cmp.Compare(a.Source, b.Source), cmp.Compare(a.Id, b.Id))
}

func (r *run) addFix(ev *pb.Event, p *pb.Position, key uint64) {
	f := fix{t: ev.Time, id: key, rec: ev.RecordedAt, hash: ev.Hash, lat: degrees(int64(p.LatE7)), lon: degrees(int64(p.LonE7)), speed: -1}
	if p.SpeedKmh != nil {
		f.speed = *p.SpeedKmh
	}
	if p.AccuracyM != nil {
		f.acc = *p.AccuracyM
	}
	r.enter(f, r.isRetracted(key))
}

// compareFixes orders by time; of several at one time the last counts.
func compareFixes(a, b fix) int {
	return cmp.Or(cmp.Compare(a.t, b.t), cmp.Compare(a.rec, b.rec), cmp.Compare(a.hash, b.hash), cmp.Compare(a.id, b.id))
}

// supersedes tells whether an event counts instead of that of the same source and id that is held: the greater by (recorded_at, hash).
func (r *run) supersedes(recorded int64, hash, key uint64, at int64) bool {
	for i := r.firstAt(at); i < len(r.fixes) && r.fixes[i].t == at; i++ {
		if f := r.fixes[i]; f.id == key {
			return cmp.Or(cmp.Compare(recorded, f.rec), cmp.Compare(hash, f.hash)) > 0
		}
	}
	for _, e := range r.reports {
		if e.Time == at && eventKey(e.Source, e.Id) == key {
			return cmp.Or(cmp.Compare(recorded, e.RecordedAt), cmp.Compare(hash, e.Hash)) > 0
		}
	}
	return false // frozen: it can change no more
}

func (r *run) firstAt(t int64) int {
	i, _ := slices.BinarySearchFunc(r.fixes, t, func(f fix, t int64) int { return cmp.Compare(f.t, t) })
	for i > 0 && r.fixes[i-1].t == t {
		i--
	}
	return i
}

// remove takes an event out, and what it implied.
func (r *run) remove(key uint64) {
	at, ok := r.times[key]
	if ok {
		delete(r.times, key)
		for i := r.firstAt(at); i < len(r.fixes) && r.fixes[i].t == at; i++ {
			if f := r.fixes[i]; f.id == key {
				if r.takeOut(f); r.isRetracted(key) {
					r.buried = put(r.buried, f)
				}
				break
			}
		}
	}
	r.reports = slices.DeleteFunc(r.reports, func(e *pb.Event) bool {
		own := eventKey(e.Source, e.Id)
		gone := own == key || e.ImpliedBy != "" && eventKey(e.Source, e.ImpliedBy) == key && r.isRetracted(key)
		if gone {
			delete(r.times, own)
		}
		return gone
	})
}

// compute brings the machine to the last fix, puts the visits together and tells what differs from what was last told.
func (r *run) compute(f *fold, now int64, out *stream.Out) {
	if r.empty() {
		t := teller{r: r, out: out}
		t.deleteRest()
		return
	}
	r.advance(f.geo, now)
	r.seen()
	r.settleState(now)
	if what := r.what(); what != r.shown || r.rewound {
		visits := r.assemble(f.cat, now)
		r.shown, r.rewound = r.what(), false
		r.tell(f.cat, visits, out)
		return
	}
	r.tellStatus(out)
}

// empty tells that nothing is known of the run; an older epoch may have told of it.
func (r *run) empty() bool {
	return len(r.fixes)+len(r.reports)+len(r.retracted) == 0 && !r.frozen.HasLast
}

// what is everything the visits are made of besides events that came out of order. While it stays the same, only the status can
// have changed.
type what struct {
	stays, stands int
	gaps          int
	leaving       stay
	reports       int
	in            stay
	inside        bool
	state         pb.State
}

func (r *run) what() what {
	w := what{stays: len(r.now.stays()), stands: len(r.now.stands()), gaps: len(r.now.Gaps), leaving: r.now.Leaving, reports: r.reportsSeen, in: r.now.In, inside: r.now.Inside, state: r.state}
	w.in.Seen = 0
	return w
}

// advance steps the machine over the fixes that came, from the hour of the earliest on.
func (r *run) advance(g *geometry, now int64) {
	r.freeze(g, now)
	if r.done > len(r.fixes) || r.done > 0 && r.changed <= r.fixes[r.done-1].t {
		r.rewind(r.changed)
	}
	r.changed = math.MaxInt64
	for ; r.done < len(r.fixes); r.done++ {
		fx := r.fixes[r.done]
		if hour := fx.t / hourMS; len(r.hours) == 0 || r.hours[len(r.hours)-1].hour < hour {
			r.hours = append(r.hours, mark{hour, r.done, r.now.clone()})
		}
		if r.done+1 < len(r.fixes) && r.fixes[r.done+1].t == fx.t {
			continue
		}
		r.now.step(g, g.likely(&r.now, r.fixes[r.firstAt(fx.t):r.done+1]))
	}
	// The last fix may yet get a sibling of the same time; then changed sends the machine back.
}

// clone keeps the copy from sharing the tail that the original goes on appending to.
func (m machine) clone() machine {
	m.Stays = m.Stays[:len(m.Stays):len(m.Stays)]
	m.Stands = m.Stands[:len(m.Stands):len(m.Stands)]
	m.Gaps = m.Gaps[:len(m.Gaps):len(m.Gaps)]
	m.Doubt = m.Doubt[:len(m.Doubt):len(m.Doubt)]
	return m
}

// rewind puts the machine back to the hour of t, or to where it is frozen.
func (r *run) rewind(t int64) {
	r.rewound = true
	hour := t / hourMS
	for n := len(r.hours); n > 0; n-- {
		if h := r.hours[n-1]; h.hour <= hour && h.done <= len(r.fixes) {
			r.now, r.done, r.hours = h.m.clone(), h.done, r.hours[:n-1]
			return
		}
	}
	r.now, r.done, r.hours = r.frozen.clone(), 0, nil
}

// freeze folds what can change no more into the frozen machine and drops the fixes, an hour at a time.
func (r *run) freeze(g *geometry, now int64) {
	limit := (now - latenessMS) / hourMS * hourMS
	r.buried = slices.DeleteFunc(r.buried, func(f fix) bool { return f.t < limit })
	maps.DeleteFunc(r.retracted, func(_ uint64, at int64) bool { return at < limit-latenessMS })
	if len(r.fixes) == 0 || r.fixes[0].t >= limit-hourMS {
		return
	}
	n := 0
	for ; n < len(r.fixes) && r.fixes[n].t < limit; n++ {
		delete(r.times, r.fixes[n].id)
		if n+1 < len(r.fixes) && r.fixes[n+1].t == r.fixes[n].t {
			continue
		}
		r.frozen.step(g, g.likely(&r.frozen, r.fixes[r.firstAt(r.fixes[n].t):n+1]))
	}
	r.fixes = slices.Clone(r.fixes[n:])
	r.done = 0
	// What came since the last round may be among them: told or not, the visits are put together anew.
	r.now, r.hours, r.changed, r.rewound = r.frozen.clone(), nil, math.MaxInt64, true
}

// seen finds the newest evidence.
func (r *run) seen() {
	r.newest = r.frozenUntil()
	if n := len(r.fixes); n > 0 {
		r.newest = max(r.newest, r.fixes[n-1].t)
	}
	if r.now.stale() {
		r.newest = min(r.newest, r.now.SameSince+staleMS)
	}
	for _, e := range r.reports {
		if e.Classifier == pb.Classifier_ACTUAL && e.Verb != pb.Verb_PLANNED {
			r.newest = max(r.newest, e.Time)
		}
	}
	if r.alive = r.newest; r.alive == 0 {
		r.alive = r.takenBack
		for _, e := range r.reports {
			r.alive = max(r.alive, e.Time)
			for _, s := range e.GetPlan().GetStops() {
				r.alive = max(r.alive, s.Arrival, s.Departure)
			}
		}
	}
}

// interval is how long the run may be quiet before it is silent: three of its usual gaps, or of those it has now that it may have
// gone to sleep where it stands. One that only reports owes no report: it is never silent, and lost when its time has come.
func (r *run) interval() int64 {
	n := len(r.fixes)
	if n < 2 {
		if r.frozen.HasLast || n == 1 {
			return 6 * hourMS
		}
		return lostMS
	}
	gaps := make([]int64, 0, 32)
	for i := n - 1; i > 0 && len(gaps) < 32; i-- {
		gaps = append(gaps, r.fixes[i].t-r.fixes[i-1].t)
	}
	now := slices.Sorted(slices.Values(gaps[:min(3, len(gaps))]))
	slices.Sort(gaps)
	return min(max(3*gaps[len(gaps)/2], 3*now[len(now)/2], hourMS/4), 6*hourMS)
}

// due is when the run's state will change by itself.
func (r *run) due(now int64) int64 {
	switch r.state {
	case pb.State_CLOSED, pb.State_LOST:
		return max(r.alive+max(latenessMS, lostMS*boolInt(r.state == pb.State_LOST)), r.fed) + latenessMS
	case pb.State_SILENT:
		return r.alive + lostMS
	case pb.State_OPEN:
		return r.alive + r.interval() + 1
	}
	return math.MaxInt64
}

func boolInt(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// over tells that nothing more can come for the run: it may be forgotten.
func (r *run) over(now int64) bool {
	return (r.state == pb.State_CLOSED || r.state == pb.State_LOST) && now >= r.due(now)
}
