package stored

import (
	"context"
	"math"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Events calls take for the events of a table (train_events, unit_events, shipments, restrictions, restrictions_history, plans) that fulfil a condition,
// with their stamps. Positions come first, in the order given, then all others.
func Events(ctx context.Context, shards []driver.Conn, database, table, where, order string, args []any, take func(*pb.Event) error) error {
	from := database + "." + table
	switch table {
	case "train_events", "unit_events":
		if err := positions().each(ctx, shards, from, "WHERE verb = 'position' AND ("+where+") "+order, args, take); err != nil {
			return err
		}
		return others().each(ctx, shards, from, "WHERE verb != 'position' AND ("+where+") "+order, args, func(e *pb.Event) error { return take(settled(e)) })
	case "shipments":
		return shipments().each(ctx, shards, from, "WHERE "+where+" "+order, args, take)
	case "restrictions", "restrictions_history":
		return restrictions().each(ctx, shards, from, "WHERE "+where+" "+order, args, take)
	}
	return plans().each(ctx, shards, from, "WHERE "+where+" "+order, args, take)
}

// head reads the columns that all event tables have, and starts the data message.
func head() *reader[pb.Event] {
	r := new(reader[pb.Event])
	enum(r, "verb", func(e *pb.Event) *pb.Verb { return &e.Verb })
	column(r, "toInt8(unit_kind)", func(e *pb.Event, v int8) { e.UnitKind = pb.UnitKind(v); schemas.Start(e) })
	text(r, "source", func(e *pb.Event) *string { return &e.Source })
	text(r, "id", func(e *pb.Event) *string { return &e.Id })
	text(r, "subject", func(e *pb.Event) *string { return &e.Subject })
	when(r, "time", func(e *pb.Event) *int64 { return &e.Time })
	column(r, "offset_min", func(e *pb.Event, v int16) { e.OffsetMin = int32(v) })
	when(r, "recorded_at", func(e *pb.Event) *int64 { return &e.RecordedAt })
	when(r, "ingested_at", func(e *pb.Event) *int64 { return &e.IngestedAt })
	when(r, "accepted_at", func(e *pb.Event) *int64 { return &e.AcceptedAt })
	flag(r, "late", func(e *pb.Event) *bool { return &e.Late })
	enum(r, "classifier", func(e *pb.Event) *pb.Classifier { return &e.Classifier })
	text(r, "place", func(e *pb.Event) *string { return &e.Place })
	column(r, "hash", func(e *pb.Event, v uint64) { e.Hash = v })
	text(r, "implied_by", func(e *pb.Event) *string { return &e.ImpliedBy })
	return r
}

func positions() *reader[pb.Event] {
	r := head()
	column(r, "lat_e7", func(e *pb.Event, v int32) { e.GetPosition().LatE7 = v })
	column(r, "lon_e7", func(e *pb.Event, v int32) { e.GetPosition().LonE7 = v })
	column(r, "speed_kmh", func(e *pb.Event, v float32) { e.GetPosition().SpeedKmh = given(v) })
	column(r, "heading", func(e *pb.Event, v float32) { e.GetPosition().Heading = given(v) })
	column(r, "accuracy_m", func(e *pb.Event, v float32) { e.GetPosition().AccuracyM = given(v) })
	return r
}

// given is nil for NaN, which the tables have where nothing was said.
func given[F float32 | float64](v F) *F {
	if math.IsNaN(float64(v)) {
		return nil
	}
	return &v
}

func others() *reader[pb.Event] {
	r := head()
	column(r, millis("planned_time"), func(e *pb.Event, v int64) {
		if m := e.GetMovement(); m != nil {
			m.PlannedTime = v
		}
	})
	planColumns(r)
	compositionColumns(r)
	column(r, "cause", func(e *pb.Event, v string) {
		switch d := e.Data.(type) {
		case *pb.Event_Held:
			d.Held.Cause = v
		case *pb.Event_Handover:
			d.Handover.Cause = v
		case *pb.Event_Activity:
			d.Activity.Cause = v
		}
	})
	put(r, "continued_by", (*pb.Event).GetEnded, func(d *pb.Ended, v string) { d.ContinuedBy = v })
	put(r, "bound_for", (*pb.Event).GetHeld, func(d *pb.Held, v string) { d.BoundFor = v })
	put(r, "border", (*pb.Event).GetHandover, func(d *pb.Handover, v string) { d.Border = v })
	putEnum(r, "handover_state", (*pb.Event).GetHandover, func(d *pb.Handover, v int8) { d.State = pb.Handover_State(v) })
	put(r, "counterpart", (*pb.Event).GetHandover, func(d *pb.Handover, v string) { d.Counterpart = v })
	put(r, "vehicle", (*pb.Event).GetLoading, func(d *pb.Loading, v string) { d.Vehicle = v })
	putEnum(r, "vehicle_kind", (*pb.Event).GetLoading, func(d *pb.Loading, v int8) { d.VehicleKind = pb.UnitKind(v) })
	put(r, "activity", (*pb.Event).GetActivity, func(d *pb.Activity, v string) { d.Kind = v })
	putEnum(r, "activity_state", (*pb.Event).GetActivity, func(d *pb.Activity, v int8) { d.State = pb.Activity_State(v) })
	put(r, "party", (*pb.Event).GetActivity, func(d *pb.Activity, v string) { d.Party = v })
	costColumns(r)
	milestoneColumns(r)
	retractionColumns(r)
	return r
}

func costColumns(r *reader[pb.Event]) {
	put(r, "amount", (*pb.Event).GetCost, func(d *pb.Cost, v float64) { d.Amount = v })
	put(r, "currency", (*pb.Event).GetCost, func(d *pb.Cost, v string) { d.Currency = v })
	putEnum(r, "official", (*pb.Event).GetCost, func(d *pb.Cost, v int8) {
		if v >= 0 {
			d.Official = new(v == 1)
		}
	})
	put(r, "cost_kind", (*pb.Event).GetCost, func(d *pb.Cost, v string) { d.Kind = v })
	put(r, "to_place", (*pb.Event).GetCost, func(d *pb.Cost, v string) { d.ToPlace = v })
	put(r, "km", (*pb.Event).GetCost, func(d *pb.Cost, v float64) { d.Km = given(v) })
	put(r, "weight_t", (*pb.Event).GetCost, func(d *pb.Cost, v float64) { d.WeightT = given(v) })
}

// put reads a column of one kind of data; in other events it is empty.
func put[D, T any](r *reader[pb.Event], name string, data func(*pb.Event) *D, set func(*D, T)) {
	column(r, quoted(name), func(e *pb.Event, v T) {
		if d := data(e); d != nil {
			set(d, v)
		}
	})
}

func putEnum[D any](r *reader[pb.Event], name string, data func(*pb.Event) *D, set func(*D, int8)) {
	column(r, "toInt8("+quoted(name)+")", func(e *pb.Event, v int8) {
		if d := data(e); d != nil {
			set(d, v)
		}
	})
}

func planColumns(r *reader[pb.Event]) {
	texts(r, "stop_place", func(e *pb.Event, v []string) {
		for _, place := range v {
			e.GetPlan().Stops = append(e.GetPlan().Stops, &pb.PlanStop{Place: place})
		}
	})
	column(r, millisOf("stop_arrival"), func(e *pb.Event, v []int64) {
		for i, t := range v {
			e.GetPlan().Stops[i].Arrival = t
		}
	})
	column(r, millisOf("stop_departure"), func(e *pb.Event, v []int64) {
		for i, t := range v {
			e.GetPlan().Stops[i].Departure = t
		}
	})
	put(r, "destination", (*pb.Event).GetPlan, func(d *pb.Plan, v string) { d.Destination = v })
	put(r, "exit_border", (*pb.Event).GetPlan, func(d *pb.Plan, v string) { d.ExitBorder = v })
}

// compositionColumns reads one item a container, and one for a wagon without containers; settled puts those of a wagon together.
func compositionColumns(r *reader[pb.Event]) {
	putEnum(r, "op", (*pb.Event).GetComposition, func(d *pb.Composition, v int8) { d.Op = pb.Composition_Op(v) })
	texts(r, "item_wagon", func(e *pb.Event, v []string) {
		for _, wagon := range v {
			e.GetComposition().Items = append(e.GetComposition().Items, &pb.CompositionItem{Wagon: wagon})
		}
	})
	texts(r, "item_container", func(e *pb.Event, v []string) {
		for i, id := range v {
			if id != "" {
				e.GetComposition().Items[i].Containers = []*pb.ContainerOn{{Id: id}}
			}
		}
	})
	column(r, "arrayMap(l -> toInt8(l), item_loaded)", func(e *pb.Event, v []int8) {
		for i, loaded := range v {
			if c := e.GetComposition().Items[i].Containers; loaded >= 0 && len(c) > 0 {
				c[0].Loaded = new(loaded == 1)
			}
		}
	})
	texts(r, "item_consignment", func(e *pb.Event, v []string) {
		for i, note := range v {
			e.GetComposition().Items[i].Consignment = note
		}
	})
}

func milestoneColumns(r *reader[pb.Event]) {
	put(r, "milestone", (*pb.Event).GetMilestone, func(d *pb.Milestone, v string) { d.Milestone = v })
	put(r, "units", (*pb.Event).GetMilestone, func(d *pb.Milestone, v []string) {
		if len(v) > 0 {
			d.Units = v
		}
	})
}

func retractionColumns(r *reader[pb.Event]) {
	put(r, "retracts_type", (*pb.Event).GetRetraction, func(d *pb.Retraction, v string) { d.Type = v })
	put(r, "retracts_id", (*pb.Event).GetRetraction, func(d *pb.Retraction, v string) { d.Id = v })
}

// settled puts the containers of a composition back on their wagons. The table does not say whether neighbours on one wagon were one
// item or several, but the hash does.
func settled(e *pb.Event) *pb.Event {
	c := e.GetComposition()
	if c == nil {
		return e
	}
	apart := c.Items
	var together []*pb.CompositionItem
	for _, it := range apart {
		if n := len(together); n > 0 && len(it.Containers) > 0 && len(together[n-1].Containers) > 0 && it.Wagon == together[n-1].Wagon && it.Consignment == together[n-1].Consignment {
			together[n-1].Containers = append(together[n-1].Containers, it.Containers...)
			continue
		}
		together = append(together, &pb.CompositionItem{Wagon: it.Wagon, Containers: it.Containers, Consignment: it.Consignment})
	}
	if c.Items = together; schemas.Hash(e) != e.Hash {
		c.Items = apart
	}
	return e
}
