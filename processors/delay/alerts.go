package delay

import (
	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// LifeSettings say how alerts begin, change and end, so that none comes and goes with every train.
type LifeSettings struct {
	WideAfterMS  int64   // about a whole flow: fires when it has been seen for so long
	WideClearMS  int64   // and ends when it has not been seen for so long
	AgainMS      int64   // one that ended fires again within this time only
	AgainAfterMS int64   // after it has been seen for so long
	UpdateMS     int64   // told anew at most so often, unless it has become worse
	Change       float64 // by how many times the value must differ to be told anew
	RememberMS   int64   // how long one that ended is remembered
}

func defaultLife() LifeSettings {
	return LifeSettings{WideAfterMS: 10 * minuteMS, WideClearMS: hourMS, AgainMS: 6 * hourMS, AgainAfterMS: hourMS, UpdateMS: 3 * hourMS, Change: 1.5, RememberMS: 2 * dayMS}
}

// alert is one that fires, that may fire soon, or that has ended.
type alert struct {
	told    *pb.Alert // as it was told last; nil: never
	seen    int64     // since when there has been reason to begin; 0: there is none
	missing int64     // since when there has been no reason to go on; 0: there is
}

func (a *alert) fires() bool { return a != nil && a.told != nil && a.told.Firing }

// live lets alerts begin, change and end by what is seen at a point of the grid.
func (f *fold) live(at int64, all []*finding, out *stream.Out) {
	found := make(map[string]*finding, len(all))
	for _, d := range all {
		if f.alert(d) == nil {
			if !d.fire {
				continue
			}
			f.alerts[d.fingerprint()] = &alert{}
		}
		found[d.fingerprint()] = d
	}
	for _, key := range sortedKeys(f.alerts) {
		a, d := f.alerts[key], found[key]
		before := *a
		if a.fires() {
			f.goOn(a, d, at, out)
		} else {
			f.begin(a, d, at, out)
		}
		if !a.fires() && a.seen == 0 && (a.told == nil || at-a.told.Resolved > f.set.Life.RememberMS) {
			delete(f.alerts, key)
			f.touch(alertPiece + key)
		} else if *a != before {
			f.touch(alertPiece + key)
		}
	}
}

func (f *fold) begin(a *alert, d *finding, at int64, out *stream.Out) {
	if d == nil || !d.fire {
		a.seen = 0
		return
	}
	if a.seen == 0 {
		a.seen = at
	}
	after := f.patience(d.kind)
	if a.told != nil && at-a.told.Resolved < f.set.Life.AgainMS {
		after = max(after, f.set.Life.AgainAfterMS)
	}
	if at-a.seen < after {
		return
	}
	since := d.since
	if since == 0 {
		since = a.seen
	}
	a.seen, a.missing = 0, 0
	a.told = &pb.Alert{Fingerprint: d.fingerprint(), Since: since, Firing: true}
	f.tell(a, d, at, out)
}

// patience is how long there must be reason before an alert fires.
func (f *fold) patience(kind string) int64 {
	switch kind {
	case KindOverdue, KindAnomalous:
		return 0
	case KindTrainSilent:
		return f.set.Silent.AfterMS
	}
	return f.set.Life.WideAfterMS
}

func (f *fold) goOn(a *alert, d *finding, at int64, out *stream.Out) {
	if d != nil && d.keep {
		a.missing = 0
		if f.worthTelling(a.told, d, at) {
			f.tell(a, d, at, out)
		}
		return
	}
	if a.missing == 0 {
		a.missing = at
	}
	clear := int64(0)
	switch a.told.Kind {
	case KindOverdue, KindAnomalous, KindTrainSilent, KindFeedSilent: // that is certain
	default:
		clear = f.set.Life.WideClearMS
	}
	if d != nil && d.cause != "" {
		clear = 0
	}
	if at-a.missing < clear {
		return
	}
	a.missing = 0
	a.told = proto.CloneOf(a.told)
	a.told.Firing, a.told.Resolved, a.told.Revision = false, at, a.told.Revision+1
	if d != nil {
		a.told.Cause = d.cause
	}
	a.told.Updated = at
	f.emitAlert(a, out)
}

// worthTelling tells whether a person must know what changed: it has become worse, or much else after some time.
func (f *fold) worthTelling(told *pb.Alert, d *finding, at int64) bool {
	set := f.set.Life
	if severer(d.severity, told.Severity) {
		return true
	}
	if at-told.Updated < set.UpdateMS {
		return false
	}
	switch d.kind {
	case KindOverdue, KindAnomalous, KindTrainSilent, KindFeedSilent: // that time goes on is not worth telling
		return d.restriction() != told.Restriction
	}
	times := d.value / told.Value
	return d.restriction() != told.Restriction || told.Value > 0 && (times >= set.Change || times <= 1/set.Change)
}

// tell writes the alert as it is seen now.
func (f *fold) tell(a *alert, d *finding, at int64, out *stream.Out) {
	t := &pb.Alert{
		Fingerprint: a.told.Fingerprint, Revision: a.told.Revision + 1, Since: a.told.Since, Firing: true, Updated: at,
		Kind: d.kind, Severity: d.severity, Area: d.area, Border: d.border, Role: d.role, Direction: d.direction, Place: d.place,
		Unit: d.unit, UnitKind: d.unitKind, Summary: d.summary, Evidence: d.evidence, Value: d.value, Baseline: d.baseline,
		BaselineBasis: d.basis, Restriction: d.restriction(), Corridors: f.corridorsOf(d),
	}
	if severer(a.told.Severity, t.Severity) {
		t.Severity = a.told.Severity // it does not become milder before it is over: else it would go to and fro
	}
	a.told = t
	f.emitAlert(a, out)
}

func (f *fold) emitAlert(a *alert, out *stream.Out) {
	f.touch(alertPiece + a.told.Fingerprint)
	out.Emit(schemas.Alerts, a.told.Area, &pb.Record{Body: &pb.Record_Alert{Alert: proto.CloneOf(a.told)}})
}

// retellAlert tells an alert anew that an older epoch told, or deletes it where the state does not have it.
func (f *fold) retellAlert(told *pb.Alert, out *stream.Out) {
	if a := f.alerts[told.Fingerprint]; a != nil && a.told != nil {
		f.emitAlert(a, out)
		return
	}
	out.Emit(schemas.Alerts, told.Area, &pb.Record{Deleted: true, Body: &pb.Record_Alert{Alert: &pb.Alert{Fingerprint: told.Fingerprint, Area: told.Area}}})
}
