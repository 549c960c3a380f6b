package delay

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Kinds of alerts.
const (
	KindFeedSilent    = "feed_silent"    // nothing is heard of an area
	KindClosure       = "closure"        // nothing moves, as was declared
	KindNothingMoving = "nothing_moving" // trains wait and none goes on
	KindGrowingQueue  = "growing_queue"  // more come than go on
	KindLevelShift    = "level_shift"    // stays have become longer
	KindBelowPlan     = "below_plan"     // fewer trains than agreed
	KindOverdue       = "overdue"        // one train waits too long
	KindAnomalous     = "anomalous"      // one train waited too long, which was learned afterwards
	KindTrainSilent   = "train_silent"   // nothing is heard of one train
)

// Kinds are those of all alerts.
func Kinds() []string {
	return []string{KindFeedSilent, KindClosure, KindNothingMoving, KindGrowingQueue, KindLevelShift, KindBelowPlan, KindOverdue, KindAnomalous, KindTrainSilent}
}

// Severities of alerts, the mildest first.
const (
	Info   = "info"   // to look at some time
	Ticket = "ticket" // to act on within the shift
	Page   = "page"   // to act on now
)

var severities = []string{Info, Ticket, Page}

func severer(a, b string) bool { return slices.Index(severities, a) > slices.Index(severities, b) }

// finding is what a detector sees at one point of the grid.
type finding struct {
	kind, area, border, role, direction, place, unit string
	unitKind                                         pb.UnitKind
	severity                                         string
	since                                            int64 // when it began; 0: when it was first seen
	fire                                             bool  // reason enough to begin
	keep                                             bool  // reason enough to go on
	value, baseline                                  float64
	basis                                            string
	summary, evidence                                string
	limit                                            *restriction // in force meanwhile; nil: none
	cause                                            string       // fingerprint of the finding that this one is a part of
	print                                            string       // its fingerprint, once somebody asked
}

// fingerprint is what it is about, never how bad it is or since when.
func (d *finding) fingerprint() string {
	if d.print == "" {
		d.print = strings.Join([]string{d.kind, d.area, d.border, d.role, d.direction, d.place, d.unit}, "|")
	}
	return d.print
}

func (d *finding) restriction() string {
	if d.limit == nil {
		return ""
	}
	return d.limit.text()
}

// alert is the one that a finding is about, nil if there is none.
func (f *fold) alert(d *finding) *alert {
	if len(f.alerts) == 0 {
		return nil
	}
	return f.alerts[d.fingerprint()]
}

// idle tells whether a finding is no reason to begin and none to look on: then nobody reads it.
func (f *fold) idle(d *finding) bool { return !d.fire && !f.alert(d).fires() }

// flow is what goes one way through one side of a border, or through a place.
type flow struct {
	*series
	at      int64
	border  *network.Border // nil: a place
	place   *network.Place  // nil: a border
	waits   []*sample
	held    []hold
	limit   *restriction // in force; nil: none
	leading *finding     // what delays it as a whole; nil: nothing
}

func (w *flow) finding(kind string) *finding {
	return &finding{kind: kind, area: w.area, border: w.key.border, role: w.key.role, direction: w.key.direction, place: w.key.place,
		unitKind: w.key.kind, severity: Ticket, limit: w.limit}
}

// name is for people.
func (w *flow) name() string {
	if w.border == nil {
		return w.place.Name + way(w.key.direction)
	}
	country, to, _ := strings.Cut(w.key.direction, "-")
	if w.key.role == network.Inbound {
		country = to
	}
	return fmt.Sprintf("%s, %s %s (%s)", w.border.Name, country, w.key.role, w.key.direction)
}

// detect looks at every area, and lets alerts live.
func (f *fold) detect(at int64, out *stream.Out) {
	var all []*finding
	areas := map[string][]*flow{}
	for _, r := range f.order {
		if r.key.role != pair && (r.key.border == "" || vehicle(r.key.kind)) {
			if w := f.flow(r, at); w != nil {
				areas[r.area] = append(areas[r.area], w)
			}
		}
	}
	for _, area := range sortedKeys(areas) {
		all = append(all, f.detectIn(area, areas[area], at)...)
	}
	f.live(at, all, out)
}

func (f *fold) flow(r *series, at int64) *flow {
	w := &flow{series: r, at: at}
	if r.key.border == "" {
		p, ok := f.cat.Place(r.key.place)
		if !ok || len(f.cat.BorderSides(p.ID)) > 0 && vehicle(r.key.kind) {
			return nil // trains at a border are seen by their crossings
		}
		w.place = p
		if vehicle(r.key.kind) {
			w.waits = r.waiting(at)
		}
		return w
	}
	b, ok := f.cat.Border(r.key.border)
	if !ok {
		return nil
	}
	w.border, w.waits, w.limit = b, r.waiting(at), f.inForce(b.ID, r.key.direction, at)
	if r.key.role != network.Inbound {
		w.held = f.heldFor(r.key, at)
	}
	return w
}

func way(direction string) string {
	if direction == "" {
		return ""
	}
	return " (" + direction + ")"
}

// detectIn looks at one area. What delays everything comes first: what follows from it is a part of it.
func (f *fold) detectIn(area string, flows []*flow, at int64) []*finding {
	feed := f.feedSilent(area, flows, at)
	all := []*finding{}
	if feed != nil {
		all = append(all, feed)
	}
	for group := range byDirection(flows) {
		var wide []*finding
		for _, w := range group {
			wide = append(wide, f.wide(w)...)
		}
		if plan := f.belowPlan(group); plan != nil {
			wide = append(wide, plan)
		}
		if closed := f.closure(group); closed != nil {
			wide = append(wide, closed)
		}
		lead := f.lead(feed, wide)
		for _, w := range group {
			w.leading = lead
			f.cover(w)
		}
		all = append(all, wide...)
	}
	for _, w := range flows {
		if vehicle(w.key.kind) {
			all = append(all, f.singles(w)...)
		}
	}
	return all
}

// byDirection groups the flows that one cause delays: both sides of a border, one way; a place is alone.
func byDirection(flows []*flow) iter.Seq[[]*flow] {
	return func(yield func([]*flow) bool) {
		for n := 0; len(flows) > 0; flows = flows[n:] {
			first := flows[0]
			for n = 1; n < len(flows) && first.border != nil && flows[n].key.border == first.key.border && flows[n].key.direction == first.key.direction; n++ {
			}
			if !yield(flows[:n]) {
				return
			}
		}
	}
}

// wide are findings about a flow as a whole.
func (f *fold) wide(w *flow) []*finding {
	var out []*finding
	for _, find := range []func(*flow) *finding{f.nothingMoving, f.growingQueue, f.levelShift} {
		if d := find(w); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// rank orders causes: what stands higher explains what stands lower.
func rank(kind string) int {
	switch kind {
	case KindFeedSilent:
		return 4
	case KindClosure:
		return 3
	case KindNothingMoving:
		return 2
	}
	return 1
}

// stands tells whether a finding is, or becomes, an alert.
func (f *fold) stands(d *finding) bool {
	return d.fire || d.keep && f.alert(d).fires()
}

// lead finds the one cause of a direction: of several the highest, then the one that is an alert already, then the first by side
// (what happens at the inbound side comes back to the outbound one). The others become a part of it.
func (f *fold) lead(feed *finding, wide []*finding) *finding {
	best := feed
	if feed != nil && !f.stands(feed) {
		best = nil
	}
	before := func(a, b *finding) bool {
		if ra, rb := rank(a.kind), rank(b.kind); ra != rb {
			return ra > rb
		}
		fa, fb := f.alert(a).fires(), f.alert(b).fires()
		if fa != fb {
			return fa
		}
		return a.role < b.role
	}
	for _, d := range wide {
		if f.stands(d) && (best == nil || before(d, best)) {
			best = d
		}
	}
	if best == nil { // what is about to end still explains
		if i := slices.IndexFunc(wide, func(d *finding) bool { return f.alert(d).fires() }); i >= 0 {
			return wide[i]
		}
		return nil
	}
	var also []string
	for _, d := range wide {
		if d == best {
			continue
		}
		if f.stands(d) {
			also = append(also, d.summary)
		}
		d.fire, d.keep, d.cause = false, false, best.fingerprint()
	}
	if len(also) > 0 && best != feed {
		best.evidence += " Also: " + strings.Join(also, "; ") + "."
	}
	return best
}

// cover notes the time in which something wide delayed the flow.
func (f *fold) cover(w *flow) {
	d := w.leading
	if d == nil || d.kind == KindBelowPlan || d.kind == KindLevelShift && d.role != w.key.role {
		return
	}
	from := cmp.Or(d.since, w.at)
	how := still
	switch d.kind {
	case KindGrowingQueue:
		how = queued
	case KindLevelShift:
		how = longer
	}
	n := len(w.covers)
	if n > 0 {
		from = max(from, min(w.covers[n-1].to, w.at)) // one time is not covered twice
	}
	if n > 0 && w.covers[n-1].how == how && w.covers[n-1].to >= w.at-f.set.StepMS {
		w.covers[n-1].to = w.at
	} else {
		w.covers = append(w.covers, cover{from, w.at, how})
	}
	w.plainGood, w.shiftGood = false, false
	f.touch(coverPiece(w.key))
}

// singles are findings about single trains.
func (f *fold) singles(w *flow) []*finding {
	var out []*finding
	for _, s := range w.waits {
		if s.of == nil {
			continue
		}
		if !s.of.watched && !s.silent {
			s.of.watched = true
			f.touch(s.of.piece)
		}
		out = append(out, f.overdue(w, s), f.trainSilent(w, s))
	}
	for _, s := range w.window(w.at-f.set.Finished.ForMS, w.at+1) {
		if s.of != nil && s.counts() && !s.of.watched {
			out = append(out, f.anomalous(w, s))
		}
	}
	return slices.DeleteFunc(out, func(d *finding) bool { return d == nil })
}

// running is how long a stay has gone on, less what delayed everything, seconds.
func (w *flow) running(s *sample, at int64) int64 {
	return (at - s.began - w.covered(s.began, at)) / 1000
}
