package sink

import (
	"math"

	"corridorwatch/schemas/pb"
)

// eventShape begins a sheet of events with the columns all event tables have. The version is computed by the table.
func eventShape(k kind, tables ...string) *shape[*pb.Event] {
	s := newShape(k, (*pb.Record).GetEvent, tables...)
	text(s, "source", (*pb.Event).GetSource)
	text(s, "id", (*pb.Event).GetId)
	enum(s, "verb", (*pb.Event).GetVerb)
	enum(s, "unit_kind", (*pb.Event).GetUnitKind)
	text(s, "subject", (*pb.Event).GetSubject)
	at(s, "time", (*pb.Event).GetTime)
	value(s, "offset_min", "Int16", func(e *pb.Event) int16 { return int16(e.GetOffsetMin()) })
	at(s, "recorded_at", (*pb.Event).GetRecordedAt)
	at(s, "ingested_at", (*pb.Event).GetIngestedAt)
	at(s, "accepted_at", (*pb.Event).GetAcceptedAt)
	flag(s, "late", (*pb.Event).GetLate)
	enum(s, "classifier", (*pb.Event).GetClassifier)
	text(s, "place", (*pb.Event).GetPlace)
	value(s, "hash", "UInt64", (*pb.Event).GetHash)
	text(s, "implied_by", (*pb.Event).GetImpliedBy)
	unversioned(s)
	return s
}

// positionSheet is for fixes, most of all events: it names only the columns a fix fills.
func positionSheet(k kind, table string) *sheet {
	s := eventShape(k, table)
	value(s, "lat_e7", "Int32", func(e *pb.Event) int32 { return e.GetPosition().GetLatE7() })
	value(s, "lon_e7", "Int32", func(e *pb.Event) int32 { return e.GetPosition().GetLonE7() })
	value(s, "speed_kmh", "Float32", func(e *pb.Event) float32 { return given32(e.GetPosition().SpeedKmh) })
	value(s, "heading", "Float32", func(e *pb.Event) float32 { return given32(e.GetPosition().Heading) })
	value(s, "accuracy_m", "Float32", func(e *pb.Event) float32 { return given32(e.GetPosition().AccuracyM) })
	return s.sheet
}

// given32 is the number, or NaN where none was given.
func given32(f *float32) float32 {
	if f == nil {
		return float32(math.NaN())
	}
	return *f
}

func given64(f *float64) float64 {
	if f == nil {
		return math.NaN()
	}
	return *f
}

// otherSheet is for all events of runs and units but fixes.
func otherSheet(k kind, table string) *sheet {
	s := eventShape(k, table)
	at(s, "planned_time", func(e *pb.Event) int64 { return e.GetMovement().GetPlannedTime() })
	stops := func(e *pb.Event) []*pb.PlanStop { return e.GetPlan().GetStops() }
	list(s, "stop_place", "String", stops, (*pb.PlanStop).GetPlace)
	list(s, "stop_arrival", timeType, stops, (*pb.PlanStop).GetArrival)
	list(s, "stop_departure", timeType, stops, (*pb.PlanStop).GetDeparture)
	text(s, "destination", func(e *pb.Event) string { return e.GetPlan().GetDestination() })
	text(s, "exit_border", func(e *pb.Event) string { return e.GetPlan().GetExitBorder() })
	compositionColumns(s)
	text(s, "continued_by", func(e *pb.Event) string { return e.GetEnded().GetContinuedBy() })
	text(s, "bound_for", func(e *pb.Event) string { return e.GetHeld().GetBoundFor() })
	text(s, "border", func(e *pb.Event) string { return e.GetHandover().GetBorder() })
	enum(s, "handover_state", func(e *pb.Event) pb.Handover_State { return e.GetHandover().GetState() })
	text(s, "counterpart", func(e *pb.Event) string { return e.GetHandover().GetCounterpart() })
	text(s, "vehicle", func(e *pb.Event) string { return e.GetLoading().GetVehicle() })
	enum(s, "vehicle_kind", func(e *pb.Event) pb.UnitKind { return e.GetLoading().GetVehicleKind() })
	text(s, "activity", func(e *pb.Event) string { return e.GetActivity().GetKind() })
	enum(s, "activity_state", func(e *pb.Event) pb.Activity_State { return e.GetActivity().GetState() })
	text(s, "party", func(e *pb.Event) string { return e.GetActivity().GetParty() })
	text(s, "cause", func(e *pb.Event) string {
		// One of them at most is there.
		return e.GetActivity().GetCause() + e.GetHeld().GetCause() + e.GetHandover().GetCause()
	})
	costColumns(s)
	milestoneColumns(s)
	retractionColumns(s)
	return s.sheet
}

func costColumns(s *shape[*pb.Event]) {
	// number is what the cost says, NaN of any other event.
	number := func(name string, get func(*pb.Cost) float64) {
		float(s, name, func(e *pb.Event) float64 {
			if c := e.GetCost(); c != nil {
				return get(c)
			}
			return math.NaN()
		})
	}
	number("amount", (*pb.Cost).GetAmount)
	text(s, "currency", func(e *pb.Event) string { return e.GetCost().GetCurrency() })
	value(s, "official", "Int8", func(e *pb.Event) int8 {
		if c := e.GetCost(); c != nil && c.Official != nil {
			return int8(bit(*c.Official))
		}
		return -1
	})
	text(s, "cost_kind", func(e *pb.Event) string { return e.GetCost().GetKind() })
	text(s, "to_place", func(e *pb.Event) string { return e.GetCost().GetToPlace() })
	number("km", func(c *pb.Cost) float64 { return given64(c.Km) })
	number("weight_t", func(c *pb.Cost) float64 { return given64(c.WeightT) })
}

// item is a wagon, or a container on a wagon, of a composition event.
type item struct {
	wagon, container, consignment string
	loaded                        int8 // -1: not said
}

// items lays a composition out flat: one element a container, and one for a wagon without containers.
func items(e *pb.Event) (out []item) {
	for _, w := range e.GetComposition().GetItems() {
		for _, c := range w.GetContainers() {
			i := item{w.GetWagon(), c.GetId(), w.GetConsignment(), -1}
			if c.Loaded != nil {
				i.loaded = int8(bit(*c.Loaded))
			}
			out = append(out, i)
		}
		if len(w.GetContainers()) == 0 {
			out = append(out, item{w.GetWagon(), "", w.GetConsignment(), -1})
		}
	}
	return out
}

func compositionColumns(s *shape[*pb.Event]) {
	enum(s, "op", func(e *pb.Event) pb.Composition_Op { return e.GetComposition().GetOp() })
	list(s, "item_wagon", "String", items, func(i item) string { return i.wagon })
	list(s, "item_container", "String", items, func(i item) string { return i.container })
	list(s, "item_loaded", "Int8", items, func(i item) int8 { return i.loaded })
	list(s, "item_consignment", "String", items, func(i item) string { return i.consignment })
}

func milestoneColumns(s *shape[*pb.Event]) {
	text(s, "milestone", func(e *pb.Event) string { return e.GetMilestone().GetMilestone() })
	texts(s, "units", func(e *pb.Event) []string { return e.GetMilestone().GetUnits() })
}

func retractionColumns(s *shape[*pb.Event]) {
	text(s, "retracts_type", func(e *pb.Event) string { return e.GetRetraction().GetType() })
	text(s, "retracts_id", func(e *pb.Event) string { return e.GetRetraction().GetId() })
}

func shipmentSheet() *sheet {
	s := eventShape(shipments, "shipments")
	text(s, "note", func(e *pb.Event) string { return e.GetShipment().GetNote() })
	text(s, "replaces", func(e *pb.Event) string { return e.GetShipment().GetReplaces() })
	text(s, "origin", func(e *pb.Event) string { return e.GetShipment().GetOrigin() })
	text(s, "destination", func(e *pb.Event) string { return e.GetShipment().GetDestination() })
	text(s, "shipper_region", func(e *pb.Event) string { return e.GetShipment().GetShipperRegion() })
	text(s, "trade_mode", func(e *pb.Event) string { return e.GetShipment().GetTradeMode() })
	goods := func(e *pb.Event) []*pb.Goods { return e.GetShipment().GetGoods() }
	list(s, "goods_hs", "String", goods, (*pb.Goods).GetHs)
	list(s, "goods_description", "String", goods, (*pb.Goods).GetDescription)
	list(s, "goods_weight_kg", "Float64", goods, (*pb.Goods).GetWeightKg)
	list(s, "goods_value", "Float64", goods, (*pb.Goods).GetValue)
	list(s, "goods_currency", "String", goods, (*pb.Goods).GetCurrency)
	units := func(e *pb.Event) []*pb.ShipmentUnit { return e.GetShipment().GetUnits() }
	list(s, "unit_id", "String", units, (*pb.ShipmentUnit).GetId)
	list(s, "unit_share", "Float64", units, func(u *pb.ShipmentUnit) float64 { return given64(u.Share) })
	milestoneColumns(s)
	retractionColumns(s)
	return s.sheet
}

func restrictionSheet() *sheet {
	s := eventShape(restrictions, "restrictions", "restrictions_history")
	text(s, "effect", func(e *pb.Event) string { return e.GetRestriction().GetEffect() })
	float(s, "limit_per_day", func(e *pb.Event) float64 {
		if r := e.GetRestriction(); r != nil {
			return given64(r.LimitPerDay)
		}
		return math.NaN()
	})
	text(s, "direction", func(e *pb.Event) string { return e.GetRestriction().GetDirection() })
	text(s, "applies_to", func(e *pb.Event) string { return e.GetRestriction().GetAppliesTo() })
	at(s, "from_time", func(e *pb.Event) int64 { return e.GetRestriction().GetFrom() })
	at(s, "until_time", func(e *pb.Event) int64 { return e.GetRestriction().GetUntil() })
	text(s, "reason", func(e *pb.Event) string { return e.GetRestriction().GetReason() })
	text(s, "reference", func(e *pb.Event) string { return e.GetRestriction().GetReference() })
	retractionColumns(s)
	return s.sheet
}

func planSheet() *sheet {
	s := eventShape(plans, "plans")
	text(s, "direction", func(e *pb.Event) string { return e.GetBorderPlan().GetDirection() })
	text(s, "date", func(e *pb.Event) string { return e.GetBorderPlan().GetDate() })
	float(s, "trains", func(e *pb.Event) float64 { return e.GetBorderPlan().GetTrains() })
	float(s, "containers", func(e *pb.Event) float64 {
		if p := e.GetBorderPlan(); p != nil {
			return given64(p.Containers)
		}
		return math.NaN()
	})
	retractionColumns(s)
	return s.sheet
}
