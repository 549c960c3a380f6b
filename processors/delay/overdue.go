package delay

import (
	"cmp"
	"fmt"
)

// OverdueSettings say when a train that still waits is overdue: multiples of the time within which 95 of 100 went on. It is told of at
// the last look before it has waited Fire times as long: not later, and each look earlier would tell of more trains that go on soon.
type OverdueSettings struct {
	Fire, Ticket, Page float64
	NormFactor         float64 // the norm is an estimate: against it the multiples are that much greater
	FewFactor          float64 // the same where that time rests on fewer than Few stays
	Few                uint32
	AtLeastS           int64 // and it waits at least so long, seconds
}

func defaultOverdue() OverdueSettings {
	return OverdueSettings{Fire: 1.5, Ticket: 2, Page: 3, NormFactor: 1.5, FewFactor: 1.3, Few: 100, AtLeastS: 2 * 3600}
}

// overdue sees a train that waits longer than almost all before it did.
func (f *fold) overdue(w *flow, s *sample) *finding {
	set, y := f.set.Overdue, f.ordinarily(w, s)
	if y.basis == basisNone || y.p95 <= 0 {
		return nil
	}
	d := w.single(KindOverdue, s, y)
	ratio := set.ratio(y, f.waited(w, s))
	d.fire = f.isOverdue(w, s, y)
	d.keep = ratio >= 1
	if f.idle(d) {
		return nil
	}
	switch {
	case ratio >= set.Page:
		d.severity = Page
	case ratio >= set.Ticket:
		d.severity = Ticket
	default:
		d.severity = Info
	}
	waited := (w.at - s.began) / 1000
	d.value = inHours(waited)
	d.summary = fmt.Sprintf("%s: %s has waited %s since %s, %s %s", w.name(), s.unit, hours(waited), moment(s.began), y.basis, hours(y.median))
	d.evidence = upper(y.text()) + "."
	if c := w.covered(s.began, w.at) / 1000; c > 0 {
		d.evidence += fmt.Sprintf(" %s of it, while the border itself was delayed, do not count.", hours(c))
	}
	w.partOf(d)
	if l := w.leading; l != nil && d.severity == Page && ratio >= set.Fire*w.longer(l) && (l.kind == KindLevelShift || l.kind == KindBelowPlan) {
		d.fire, d.keep, d.cause = true, true, "" // it waits too long even so
	}
	return d
}

// isOverdue tells whether a train will have waited too long before the next look. A silent one is silent, not waiting.
func (f *fold) isOverdue(w *flow, s *sample, y yardstick) bool {
	set, waited := f.set.Overdue, f.waited(w, s)
	return !s.silent && waited >= set.AtLeastS && set.ratio(y, waited+f.set.StepMS/1000) >= set.Fire
}

// ratio is how long a train has waited, in multiples of the time within which 95 of 100 went on.
func (set OverdueSettings) ratio(y yardstick, waited int64) float64 {
	return float64(waited) / float64(y.p95) / set.factor(y)
}

// waited is how long a train has waited since all that delayed it together with others was over, seconds.
func (f *fold) waited(w *flow, s *sample) int64 {
	began := s.began
	for _, c := range w.covers {
		if c.how == longer && c.to > began && c.to < w.at-f.set.StepMS {
			began = c.to
		}
	}
	return max(0, (w.at-began-w.covered(began, w.at))/1000)
}

// longer is how many times longer stays have become: those that ended, and those of which an alert tells.
func (w *flow) longer(l *finding) float64 {
	times := 1.0
	if w.shift.ok {
		times = max(times, w.shift.now/w.shift.before, w.shift.last/w.shift.before)
	}
	if l.kind == KindLevelShift && l.role == w.key.role && l.baseline > 0 {
		times = max(times, l.value/l.baseline)
	}
	return times
}

// factor is how much the time within which 95 of 100 went on may be wrong.
func (set OverdueSettings) factor(y yardstick) float64 {
	switch {
	case y.basis == basisNorm:
		return set.NormFactor
	case y.n < set.Few:
		return set.FewFactor
	}
	return 1
}

// single is a finding about one train.
func (w *flow) single(kind string, s *sample, y yardstick) *finding {
	d := w.finding(kind)
	d.unit, d.since, d.basis, d.baseline = s.unit, s.began, y.basis, inHours(y.median)
	if w.border == nil {
		d.direction = "" // a train is at a place once
	}
	return d
}

// partOf makes a finding about one train a part of what delays all of them.
func (w *flow) partOf(d *finding) {
	if w.leading != nil {
		d.fire, d.keep, d.cause = false, false, w.leading.fingerprint()
	}
}

// beyond counts the trains that wait longer than 95 of 100 did, and names the oldest.
func (f *fold) beyond(w *flow) string {
	n := 0
	for _, s := range w.waits {
		if y := f.ordinarily(w, s); y.p95 > 0 && (w.at-s.began)/1000 > y.p95 {
			n++
		}
	}
	if len(w.waits) == 0 {
		return "nobody waits"
	}
	oldest := w.waits[0]
	return fmt.Sprintf("%s there, %d of them longer than 95 of 100 did, the oldest (%s) for %s", trains(len(w.waits)), n, oldest.unit, hours((w.at-oldest.began)/1000))
}

// FinishedSettings say when a stay that is over is told of: it was learned afterwards that it was too long.
type FinishedSettings struct {
	Fire  float64 // multiple of the time within which 95 of 100 went on
	ForMS int64   // how long after its end it is told of
}

func defaultFinished() FinishedSettings { return FinishedSettings{Fire: 1.5, ForMS: 24 * hourMS} }

// anomalous sees a stay that was too long and over before anybody knew: feeds that report afterwards.
func (f *fold) anomalous(w *flow, s *sample) *finding {
	y := f.ordinarily(w, s)
	if y.basis != basisUsual || y.p95 <= 0 {
		return nil
	}
	d := w.single(KindAnomalous, s, y)
	seconds := w.running(s, s.ended)
	d.severity, d.value, d.since = Info, inHours(s.seconds), s.ended
	d.fire = float64(seconds) >= f.set.Finished.Fire*f.set.Overdue.factor(y)*float64(y.p95) && seconds >= f.set.Overdue.AtLeastS
	if d.keep = d.fire; f.idle(d) {
		return nil
	}
	d.summary = fmt.Sprintf("%s: %s waited %s until %s, usual %s", w.name(), s.unit, hours(s.seconds), moment(s.ended), hours(y.median))
	d.evidence = fmt.Sprintf("There from %s to %s, which was learned afterwards; %s.", moment(s.began), moment(s.ended), y.text())
	if overdue := w.single(KindOverdue, s, y); f.alert(overdue) != nil {
		d.fire, d.keep = false, false // it was told while it waited
	}
	w.partOf(d)
	return d
}

// SilentSettings say when a silent train is told of.
type SilentSettings struct {
	AfterMS int64 // so long after its tracker went beyond its interval
}

func defaultSilent() SilentSettings { return SilentSettings{AfterMS: 3 * hourMS} }

// trainSilent sees a train that nobody hears of. How long, the life of the alert says.
func (f *fold) trainSilent(w *flow, s *sample) *finding {
	if !s.silent {
		return nil
	}
	d := w.single(KindTrainSilent, s, yardstick{basis: basisNone})
	d.since, d.severity, d.fire, d.keep = 0, Info, true, true
	since := w.at
	if a := f.alert(d); a.fires() {
		since = a.told.Since
	} else if a != nil {
		since = cmp.Or(a.seen, w.at)
	}
	d.summary = fmt.Sprintf("%s: nothing has been heard of %s for longer than its tracker's interval since %s", w.name(), s.unit, moment(since))
	d.evidence = fmt.Sprintf("It came at %s. Whether it still waits is not known: look at its tracker, or ask the station.", moment(s.began))
	w.partOf(d)
	return d
}
