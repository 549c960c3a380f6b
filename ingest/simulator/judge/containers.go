package judge

import "corridorwatch/ingest/simulator"

// split divides what was found into that of vehicles and that of containers.
func split(truth *simulator.Truth, got Results) (vehicles, containers Results) {
	units := map[string]bool{}
	for _, c := range truth.Consists {
		for _, u := range c.Units {
			units[u] = true
		}
	}
	vehicles.Legs = got.Legs
	for _, v := range got.Visits {
		of := &vehicles
		if units[v.Unit] {
			of = &containers
		}
		of.Visits = append(of.Visits, v)
	}
	for _, c := range got.Crossings {
		of := &vehicles
		if units[c.Unit] {
			of = &containers
		}
		of.Crossings = append(of.Crossings, c)
	}
	return vehicles, containers
}

// containers holds what was found of containers against what happened to those of their trip: every stop of three minutes or more,
// and every crossing with both its sides. Their passes are those of their trains.
func (r *Report) containers(truth *simulator.Truth, got Results) {
	if len(truth.Consists) == 0 {
		return
	}
	of := Report{interval: r.interval}
	each := simulator.Truth{}
	for _, c := range truth.Consists {
		for _, unit := range c.Units {
			for _, v := range c.Visits {
				v.Run = unit
				each.Visits = append(each.Visits, v)
			}
			for _, x := range c.Crossings {
				x.Run = unit
				each.Crossings = append(each.Crossings, x)
			}
		}
	}
	of.visits(&each, got)
	of.crossings(&each, got)
	r.units = &of
}
