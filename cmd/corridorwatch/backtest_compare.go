package main

import (
	"cmp"
	"math"
	"slices"
	"time"

	"corridorwatch/processors/delay"
	"corridorwatch/schemas/pb"
)

// episode is an alert from when it fired until it was resolved, as its last version tells it: it never becomes milder.
type episode struct {
	Fired    time.Time  `json:"fired"`
	Resolved *time.Time `json:"resolved"` // nil: it still fired in the end
	Severity string     `json:"severity"`
	Versions int        `json:"versions"`
	Summary  string     `json:"summary"`
	Evidence string     `json:"evidence"`
	Cause    string     `json:"cause,omitempty"`

	last *pb.Alert
}

// overlaps tells whether two fired at the same time, for some of it.
func (e *episode) overlaps(o *episode) bool {
	return !e.Fired.After(o.end()) && !o.Fired.After(e.end())
}

func (e *episode) end() time.Time {
	if e.Resolved == nil {
		return time.UnixMilli(math.MaxInt64 / 1_000_000)
	}
	return *e.Resolved
}

func (e *episode) same(o *episode) bool {
	return e.Fired.Equal(o.Fired) && e.end().Equal(o.end()) && e.Severity == o.Severity && e.Versions == o.Versions
}

func (e *episode) within(from, to time.Time) bool {
	return e != nil && !e.Fired.Before(from) && e.Fired.Before(to)
}

// episodesOf makes them out of versions in the order in which they were told. A version that comes again, told anew by an upgrade, is
// one.
func episodesOf(versions []*pb.Alert) map[string][]*episode {
	all := map[string][]*episode{}
	for _, a := range versions {
		of := all[a.Fingerprint]
		n := len(of)
		if n > 0 && of[n-1].last.Updated == a.Updated {
			continue
		}
		if n == 0 || of[n-1].Resolved != nil || a.Revision == 1 {
			if !a.Firing { // began before what is known
				continue
			}
			of, n = append(of, &episode{Fired: time.UnixMilli(a.Updated).UTC()}), n+1
			all[a.Fingerprint] = of
		}
		e := of[n-1]
		e.Severity, e.Summary, e.Evidence, e.Cause, e.last = a.Severity, a.Summary, a.Evidence, a.Cause, a
		e.Versions++
		if !a.Firing {
			at := time.UnixMilli(a.Resolved).UTC()
			e.Resolved = &at
		}
	}
	return all
}

// Verdicts of a comparison.
const (
	sameAlert    = "same"    // fired then, at the same stage times and as severe
	otherAlert   = "other"   // fired then, at other times or otherwise severe
	newAlert     = "new"     // would have fired and did not
	missingAlert = "missing" // fired and would not have
)

// compared is an alert that would have fired, one that did, or both.
type compared struct {
	Fingerprint string   `json:"fingerprint"`
	Kind        string   `json:"kind"`
	Area        string   `json:"area"`
	Border      string   `json:"border,omitempty"`
	Role        string   `json:"role,omitempty"`
	Direction   string   `json:"direction,omitempty"`
	Place       string   `json:"place,omitempty"`
	Unit        string   `json:"unit,omitempty"`
	Verdict     string   `json:"verdict"`
	Would       *episode `json:"would"` // nil: it would not have fired
	Did         *episode `json:"did"`   // nil: it did not
}

// compareAlerts sets what would have fired beside what did, of all that began to fire, here or there, from from to to.
func compareAlerts(would, did map[string][]*episode, from, to time.Time) []compared {
	var all []compared
	add := func(w, d *episode) {
		if !w.within(from, to) && !d.within(from, to) {
			return
		}
		c := compared{Would: w, Did: d, Verdict: otherAlert}
		switch {
		case d == nil:
			c.Verdict = newAlert
		case w == nil:
			c.Verdict = missingAlert
		case w.same(d):
			c.Verdict = sameAlert
		}
		a := c.one().last
		c.Fingerprint, c.Kind, c.Area, c.Border, c.Role, c.Direction, c.Place, c.Unit = a.Fingerprint, a.Kind, a.Area, a.Border, a.Role, a.Direction, a.Place, a.Unit
		all = append(all, c)
	}
	for key, mine := range would {
		theirs := slices.Clone(did[key])
		for _, w := range mine {
			i := slices.IndexFunc(theirs, w.overlaps)
			if i < 0 {
				add(w, nil)
				continue
			}
			add(w, theirs[i])
			theirs = slices.Delete(theirs, i, i+1)
		}
		for _, d := range theirs {
			add(nil, d)
		}
	}
	for key, theirs := range did {
		if would[key] == nil {
			for _, d := range theirs {
				add(nil, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b compared) int {
		return cmp.Or(a.one().Fired.Compare(b.one().Fired), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return all
}

// one is what would have fired, else what did.
func (c compared) one() *episode { return cmp.Or(c.Would, c.Did) }

// counted is how many alerts of a kind and severity began to fire.
type counted struct {
	Kind        string  `json:"kind"`
	Severity    string  `json:"severity"`
	Would       int     `json:"would"`
	WouldPerDay float64 `json:"would_per_day"`
	Did         int     `json:"did"`
	DidPerDay   float64 `json:"did_per_day"`
}

// countAlerts count alerts by kind and by how severe they became, the most severe first.
func countAlerts(all []compared, from, to time.Time) []counted {
	days := to.Sub(from).Hours() / 24
	count := func(kind, severity string, of func(compared) *episode) (n int) {
		for _, c := range all {
			if e := of(c); c.Kind == kind && e.within(from, to) && e.Severity == severity {
				n++
			}
		}
		return n
	}
	out := []counted{}
	for _, kind := range delay.Kinds() {
		for _, severity := range []string{delay.Page, delay.Ticket, delay.Info} {
			t := counted{Kind: kind, Severity: severity}
			t.Would = count(kind, severity, func(c compared) *episode { return c.Would })
			t.Did = count(kind, severity, func(c compared) *episode { return c.Did })
			if t.WouldPerDay, t.DidPerDay = float64(t.Would)/days, float64(t.Did)/days; t.Would+t.Did > 0 {
				out = append(out, t)
			}
		}
	}
	return out
}
