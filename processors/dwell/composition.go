package dwell

import (
	"cmp"
	"slices"

	"corridorwatch/schemas/pb"
)

// onBoard is one stay of a wagon or container on the run.
type onBoard struct {
	unit     string
	kind     pb.UnitKind
	from, to int64 // 0: since the run began; 0: still
	by       string
	named    []int64 // times of the lists that name it, from the first on
}

// onBoards follows the composition events in order of time.
func (r *run) onBoards() []onBoard {
	var all []onBoard
	open := map[string]int{} // index into all
	first := true
	for _, e := range r.reports {
		c := e.GetComposition()
		if c == nil || e.Classifier != pb.Classifier_ACTUAL {
			continue
		}
		by := e.Source + "#" + cmp.Or(e.ImpliedBy, e.Id)
		named := unitsOf(c)
		from := e.Time
		if first && c.Op == pb.Composition_SET {
			from = 0 // the list tells what the run began with
		}
		first = false
		if c.Op == pb.Composition_SET {
			for _, unit := range sortedKeys(open) {
				if !slices.ContainsFunc(named, func(o onBoard) bool { return o.unit == unit }) {
					all[open[unit]].to = e.Time
					delete(open, unit)
				}
			}
		}
		for _, o := range named {
			i, on := open[o.unit]
			if on && c.Op != pb.Composition_REMOVE {
				all[i].named = append(all[i].named, e.Time)
			}
			switch {
			case c.Op == pb.Composition_REMOVE && on:
				all[i].to = e.Time
				delete(open, o.unit)
			case c.Op == pb.Composition_REMOVE:
				all = append(all, onBoard{o.unit, o.kind, 0, e.Time, by, []int64{e.Time}}) // it was on board, whenever it came
			case !on:
				open[o.unit] = len(all)
				all = append(all, onBoard{o.unit, o.kind, from, 0, by, []int64{e.Time}})
			}
		}
	}
	return all
}

func unitsOf(c *pb.Composition) []onBoard {
	var out []onBoard
	for _, it := range c.Items {
		if it.Wagon != "" {
			out = append(out, onBoard{unit: it.Wagon, kind: pb.UnitKind_WAGON})
		}
		for _, k := range it.Containers {
			out = append(out, onBoard{unit: k.Id, kind: pb.UnitKind_CONTAINER})
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// ride is v as it concerns o, nil if o was not on board. What the list of the minute of arrival names has come with the run.
func (o *onBoard) ride(r *run, v *visit) *pb.Ride {
	start, end := v.start(), v.end()
	came := max(v.Arrived.GetAt(), start)
	if o.from > end || o.to != 0 && o.to < start {
		return nil
	}
	ride := &pb.Ride{
		Unit: o.unit, UnitKind: o.kind, Run: r.id, RunKind: r.kind, Visit: v.Visit, OnFrom: o.from, OnTo: o.to, OnBy: o.by,
		LoadedHere: o.from > came, UnloadedHere: o.to != 0 && o.to <= end,
	}
	for _, t := range o.named {
		if t <= end || ride.NamedAt == 0 {
			ride.NamedAt, ride.NamedLastAt = cmp.Or(ride.NamedAt, t), t
		}
	}
	if v.dissolved && !ride.UnloadedHere {
		ride.UnloadedHere, ride.OnTo = true, cmp.Or(o.to, v.Departed.At)
	}
	return ride
}
