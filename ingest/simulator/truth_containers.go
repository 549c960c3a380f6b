package simulator

import (
	"cmp"
	"slices"
)

// Consist is what happened to the containers of one trip, which stay together: their visits over all the runs that carried them,
// and those that the forwarder alone tells of. Run is empty in both lists.
type Consist struct {
	Units     []string
	Visits    []Visit
	Crossings []Crossing
}

// consist puts the visits of a trip's runs together.
func consist(cfg Config, t *trip) Consist {
	var all []Visit
	var calls []call
	for _, r := range t.runs {
		calls = append(calls, r.calls...)
		own := r.visits(cfg)
		for i := range r.calls {
			if c := &r.calls[i]; r.tellsStatuses(cfg.Catalog, i) {
				own = append(own, Visit{Place: c.place.ID, Arrived: c.arrive, Departed: c.left, Stopped: true})
			}
		}
		slices.SortStableFunc(own, func(a, b Visit) int { return cmp.Compare(a.came(), b.came()) })
		for _, v := range own {
			v.Run, v.Kind = "", 0
			if n := len(all); n > 0 && all[n-1].Place == v.Place && all[n-1].Stopped && v.Stopped {
				all[n-1].Departed, all[n-1].Left = v.Departed, v.Left
				all[n-1].Vague = all[n-1].Vague || v.Vague
				continue
			}
			all = append(all, v)
		}
	}
	start, end := cfg.Start.UnixMilli(), cfg.Start.Add(cfg.Duration).UnixMilli()
	for i := range all {
		all[i].Cut = all[i].begin() < start+cfg.Interval.Milliseconds() || all[i].finish() >= end
	}
	return Consist{Units: t.runs[0].cargo.containers, Visits: all, Crossings: crossings(cfg, "", all, calls)}
}
