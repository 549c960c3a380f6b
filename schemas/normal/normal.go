// Package normal brings events into their normal form, in which the stages compare them: places as slugs of the catalogue, runs as
// operator:number:date, wagon and container numbers without blanks and hyphens. What cannot be brought there is a fault.
//
// Intake does this to every event. Producers that answer their senders (HTTP, a dry run) do it too, so that they say at once what
// intake would say.
//
// Container numbers with a wrong check digit (ISO 6346) and wagon numbers with a wrong one are taken: one mistyped digit does not
// make the visit of a real container untrue. An event has no field to flag them in; network.ValidContainer tells them at any time.
// Numbers of another length are a fault (Unit).
package normal

import (
	"fmt"
	"strconv"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Form is the normal form under one catalogue. It may be shared: nothing in it changes.
type Form struct {
	cat                      *network.Catalog
	borders, areas, sections map[string]bool
}

// New prepares the normal form under cat.
func New(cat *network.Catalog) *Form {
	n := &Form{cat: cat, borders: map[string]bool{}, areas: map[string]bool{}, sections: map[string]bool{}}
	for _, b := range cat.Borders {
		n.borders[b.ID] = true
	}
	for _, a := range cat.Areas {
		n.areas[a.ID] = true
	}
	for _, s := range cat.Sections {
		n.sections[s.ID] = true
	}
	return n
}

// Apply checks ev and brings it into its normal form. After a fault ev may be changed in part.
func (n *Form) Apply(ev *pb.Event) *schemas.Fault {
	if f := schemas.Check(ev); f != nil {
		return f
	}
	if f := n.subject(ev); f != nil {
		return f
	}
	if ev.Place != "" {
		p, ok := n.cat.Resolve(ev.Place)
		if !ok {
			return unknown("data.place", "place", ev.Place)
		}
		ev.Place = p.ID
	}
	if p := ev.GetPosition(); p != nil && (ev.UnitKind == pb.UnitKind_TRAIN || ev.UnitKind == pb.UnitKind_VESSEL) {
		if lat, lon := float64(p.LatE7)/1e7, float64(p.LonE7)/1e7; !n.cat.Covers(lat, lon) {
			return &schemas.Fault{Reason: schemas.OffNetwork, Path: "data", Detail: fmt.Sprintf("%.5f, %.5f is more than 300 km outside of the area of the catalogue: "+
				"is a sign lost, or are latitude and longitude exchanged? Mend it and retry, or add the places there to the catalogue", lat, lon)}
		}
	}
	return n.data(ev)
}

// Ahead is by how many milliseconds the clock of a source is ahead, as its profile says.
func (n *Form) Ahead(source string) int64 { return n.cat.Source(source).Ahead.Milliseconds() }

func (n *Form) subject(ev *pb.Event) *schemas.Fault {
	switch ev.UnitKind {
	case pb.UnitKind_TRAIN, pb.UnitKind_VESSEL:
		return run("subject", &ev.Subject)
	case pb.UnitKind_WAGON, pb.UnitKind_CONTAINER:
		return unit("subject", &ev.Subject)
	}
	switch ev.Verb {
	case pb.Verb_BORDER_PLAN:
		return n.border("subject", ev.Subject)
	case pb.Verb_RESTRICTION:
		return n.restricted(ev)
	}
	return nil
}

func (n *Form) restricted(ev *pb.Event) *schemas.Fault {
	if n.areas[ev.Subject] || n.borders[ev.Subject] || n.sections[ev.Subject] {
		return nil
	}
	p, ok := n.cat.Resolve(ev.Subject)
	if !ok {
		return unknown("subject", "place, border, area or section", ev.Subject)
	}
	ev.Subject = p.ID
	return nil
}

func (n *Form) data(ev *pb.Event) *schemas.Fault {
	switch d := ev.Data.(type) {
	case *pb.Event_Plan:
		for _, s := range d.Plan.Stops {
			n.known(&s.Place)
		}
		n.known(&d.Plan.Destination)
		return n.border("data.exit_border", d.Plan.ExitBorder)
	case *pb.Event_Composition:
		return items(d.Composition)
	case *pb.Event_Ended:
		if d.Ended.ContinuedBy != "" {
			return run("data.continued_by", &d.Ended.ContinuedBy)
		}
	case *pb.Event_Held:
		return n.border("data.bound_for", d.Held.BoundFor)
	case *pb.Event_Handover:
		return n.border("data.border", d.Handover.Border)
	case *pb.Event_Loading:
		if d.Loading.VehicleKind == pb.UnitKind_UNIT_KIND_NONE {
			d.Loading.VehicleKind = kindOfVehicle(d.Loading.Vehicle)
		}
		return run("data.vehicle", &d.Loading.Vehicle)
	case *pb.Event_Cost:
		if d.Cost.ToPlace != "" {
			p, ok := n.cat.Resolve(d.Cost.ToPlace)
			if !ok {
				return unknown("data.to_place", "place", d.Cost.ToPlace)
			}
			d.Cost.ToPlace = p.ID
		}
	case *pb.Event_Shipment:
		n.known(&d.Shipment.Origin)
		n.known(&d.Shipment.Destination)
		for i, u := range d.Shipment.Units {
			if f := unit("data.units["+strconv.Itoa(i)+"].id", &u.Id); f != nil {
				return f
			}
		}
	case *pb.Event_Milestone:
		for i := range d.Milestone.Units {
			if f := unit("data.units["+strconv.Itoa(i)+"]", &d.Milestone.Units[i]); f != nil {
				return f
			}
		}
	}
	return nil
}

// known replaces a reference to a place by its slug if the catalogue has it. Timetables name many small stations, and consignments
// come from and go to the whole world: what the catalogue lacks there stays as it is.
func (n *Form) known(place *string) {
	if p, ok := n.cat.Resolve(*place); ok {
		*place = p.ID
	}
}

func (n *Form) border(path, id string) *schemas.Fault {
	if id == "" || n.borders[id] {
		return nil
	}
	return unknown(path, "border", id)
}

func unknown(path, what, ref string) *schemas.Fault {
	return &schemas.Fault{Reason: schemas.UnknownPlace, Path: path,
		Detail: "the catalogue has no " + what + " " + strconv.Quote(ref) + ": add it to the catalogue, restart, and retry the reject"}
}

func items(c *pb.Composition) *schemas.Fault {
	for i, it := range c.Items {
		path := "data.items[" + strconv.Itoa(i) + "]"
		if it.Wagon == "" && len(it.Containers) == 0 {
			return &schemas.Fault{Reason: schemas.MissingField, Path: path, Detail: "name a wagon, containers or both"}
		}
		if it.Wagon != "" {
			if f := unit(path+".wagon", &it.Wagon); f != nil {
				return f
			}
		}
		for j, on := range it.Containers {
			if f := unit(path+".containers["+strconv.Itoa(j)+"].id", &on.Id); f != nil {
				return f
			}
		}
	}
	return nil
}
