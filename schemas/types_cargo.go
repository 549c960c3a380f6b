package schemas

import (
	"math"

	"corridorwatch/schemas/pb"
)

// Milestones of a consignment, in their usual order.
var milestones = []string{"booked", "gate_in", "departed", "arrived", "gate_out", "delivered"}

func cargoTypes() []*eventType {
	return []*eventType{declaredType(), {
		verb: pb.Verb_MILESTONE, word: "milestone", prefixes: []string{"shipment"}, subject: "consignment", about: "how far the consignment has come",
		start: func(e *pb.Event) { e.Data = &pb.Event_Milestone{Milestone: new(pb.Milestone)} },
		has:   func(e *pb.Event) bool { return e.GetMilestone() != nil },
		data: shape[pb.Event]{
			wordField("milestone", "which", milestones, func(e *pb.Event) *string { return &e.GetMilestone().Milestone }).required(),
			placeField("where").required(),
			textsField("units", "wagons or containers it holds for", func(e *pb.Event) *[]string { return &e.GetMilestone().Units }),
		},
	}}
}

func declaredType() *eventType {
	goods := shape[pb.Goods]{
		textField("hs", "text", "code of the Harmonized System, 6 digits or more", func(g *pb.Goods) *string { return &g.Hs }).required(),
		textField("description", "text", "in words", func(g *pb.Goods) *string { return &g.Description }),
		numberField("weight_kg", "gross weight", func(g *pb.Goods) *float64 { return &g.WeightKg }),
		numberField("value", "in the currency", func(g *pb.Goods) *float64 { return &g.Value }),
		textField("currency", "text", "ISO 4217", func(g *pb.Goods) *string { return &g.Currency }),
	}
	units := shape[pb.ShipmentUnit]{
		textField("id", "unit", "wagon or container", func(u *pb.ShipmentUnit) *string { return &u.Id }).required(),
		maybeField("share", "of the consignment that it carries, 0 to 1", 1, func(u *pb.ShipmentUnit) **float64 { return &u.Share }),
	}
	at := func(e *pb.Event) *pb.Shipment { return e.GetShipment() }
	return &eventType{
		verb: pb.Verb_DECLARED, word: "declared", prefixes: []string{"shipment"}, subject: "consignment", about: "what is sent, from where to where",
		start: func(e *pb.Event) { e.Data = &pb.Event_Shipment{Shipment: new(pb.Shipment)} },
		has:   func(e *pb.Event) bool { return e.GetShipment() != nil },
		data: shape[pb.Event]{
			textField("note", "text", "number of the consignment note", func(e *pb.Event) *string { return &at(e).Note }).required(),
			textField("replaces", "text", "note this one takes the place of", func(e *pb.Event) *string { return &at(e).Replaces }),
			textField("origin", "place", "where it comes from; kept as it is if the catalogue lacks it", func(e *pb.Event) *string { return &at(e).Origin }).required(),
			textField("destination", "place", "where it goes to; kept as it is if the catalogue lacks it", func(e *pb.Event) *string { return &at(e).Destination }).required(),
			textField("shipper_region", "text", "region of the shipper", func(e *pb.Event) *string { return &at(e).ShipperRegion }),
			textField("trade_mode", "text", "general, e-commerce or processing", func(e *pb.Event) *string { return &at(e).TradeMode }),
			listField("goods", "what it is", goods, func(e *pb.Event) *[]*pb.Goods { return &at(e).Goods }).required(),
			listField("units", "what it travels in", units, func(e *pb.Event) *[]*pb.ShipmentUnit { return &at(e).Units }).required(),
		},
	}
}

func networkTypes() []*eventType {
	plan := func(e *pb.Event) *pb.BorderPlan { return e.GetBorderPlan() }
	taken := func(e *pb.Event) *pb.Retraction { return e.GetRetraction() }
	date := textField("date", "date", "railway day of the side that is left, YYYY-MM-DD", func(e *pb.Event) *string { return &plan(e).Date }).required()
	date.check = func(e *pb.Event) *Fault {
		if !ValidDate(plan(e).Date) {
			return impossible("must be a date, YYYY-MM-DD")
		}
		return nil
	}
	of := textField("retracts_type", "event type", "type of what is taken back", func(e *pb.Event) *string { return &taken(e).Type }).required()
	trains := numberField("trains", "trains of that day", func(e *pb.Event) *float64 { return &plan(e).Trains }).required()
	return []*eventType{
		restrictionType(),
		{
			verb: pb.Verb_BORDER_PLAN, word: "plan", prefixes: []string{"border"}, subject: "border", about: "the agreed exchange of a day",
			start: func(e *pb.Event) { e.Data = &pb.Event_BorderPlan{BorderPlan: new(pb.BorderPlan)} },
			has:   func(e *pb.Event) bool { return e.GetBorderPlan() != nil },
			data: shape[pb.Event]{
				textField("direction", "text", "from and to country, such as CN-KZ", func(e *pb.Event) *string { return &plan(e).Direction }).required(),
				date, trains,
				maybeField("containers", "containers of that day", math.MaxFloat64, func(e *pb.Event) **float64 { return &plan(e).Containers }),
			},
		},
		{
			verb: pb.Verb_RETRACTED, word: "retracted", prefixes: []string{"event"}, subject: "that of the retracted event",
			about: "takes an event of the same source back, and what it implied; may arrive first",
			start: func(e *pb.Event) { e.Data = &pb.Event_Retraction{Retraction: new(pb.Retraction)} },
			has:   func(e *pb.Event) bool { return e.GetRetraction() != nil },
			data: shape[pb.Event]{
				of, textField("retracts_id", "text", "id of what is taken back", func(e *pb.Event) *string { return &taken(e).Id }).required(),
			},
		},
		{verb: pb.Verb_TICK, word: "tick", prefixes: []string{"clock"}, subject: "none", about: "time has come so far; only the clock, or the one producer of data time, sends it"},
	}
}

func restrictionType() *eventType {
	at := func(e *pb.Event) *pb.Restriction { return e.GetRestriction() }
	return &eventType{
		verb: pb.Verb_RESTRICTION, word: "restriction", prefixes: []string{"network"}, subject: "area, place, border or section", about: "closed, banned or limited for a time",
		start: func(e *pb.Event) { e.Data = &pb.Event_Restriction{Restriction: new(pb.Restriction)} },
		has:   func(e *pb.Event) bool { return e.GetRestriction() != nil },
		data: shape[pb.Event]{
			wordField("effect", "what it does", []string{"closed", "banned", "limited"}, func(e *pb.Event) *string { return &at(e).Effect }).required(),
			maybeField("limit_per_day", "trains a day, where limited", math.MaxFloat64, func(e *pb.Event) **float64 { return &at(e).LimitPerDay }),
			textField("direction", "text", "from and to country, such as CN-KZ; without it both", func(e *pb.Event) *string { return &at(e).Direction }),
			textField("applies_to", "text", "kinds of goods or trains; without it all", func(e *pb.Event) *string { return &at(e).AppliesTo }),
			timeField("from", "in force from", func(e *pb.Event) *int64 { return &at(e).From }).required(),
			timeField("until", "in force until; without it until further notice", func(e *pb.Event) *int64 { return &at(e).Until }),
			textField("reason", "text", "why", func(e *pb.Event) *string { return &at(e).Reason }).required(),
			textField("reference", "text", "telegram or order", func(e *pb.Event) *string { return &at(e).Reference }).required(),
		},
	}
}

// ValidDate tells whether s is a date of the calendar, YYYY-MM-DD.
func ValidDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	year, month, day := digits4(s, 0), digits2(s, 5), digits2(s, 8)
	return year >= 1970 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
}
