package stored

import "corridorwatch/schemas/pb"

func shipments() *reader[pb.Event] {
	r := head()
	at := (*pb.Event).GetShipment
	put(r, "note", at, func(d *pb.Shipment, v string) { d.Note = v })
	put(r, "replaces", at, func(d *pb.Shipment, v string) { d.Replaces = v })
	put(r, "origin", at, func(d *pb.Shipment, v string) { d.Origin = v })
	put(r, "destination", at, func(d *pb.Shipment, v string) { d.Destination = v })
	put(r, "shipper_region", at, func(d *pb.Shipment, v string) { d.ShipperRegion = v })
	put(r, "trade_mode", at, func(d *pb.Shipment, v string) { d.TradeMode = v })
	texts(r, "goods_hs", func(e *pb.Event, v []string) {
		for _, hs := range v {
			at(e).Goods = append(at(e).Goods, &pb.Goods{Hs: hs})
		}
	})
	goods(r, "goods_description", func(g *pb.Goods, v string) { g.Description = v })
	goods(r, "goods_weight_kg", func(g *pb.Goods, v float64) { g.WeightKg = v })
	goods(r, "goods_value", func(g *pb.Goods, v float64) { g.Value = v })
	goods(r, "goods_currency", func(g *pb.Goods, v string) { g.Currency = v })
	texts(r, "unit_id", func(e *pb.Event, v []string) {
		for _, id := range v {
			at(e).Units = append(at(e).Units, &pb.ShipmentUnit{Id: id})
		}
	})
	column(r, "unit_share", func(e *pb.Event, v []float64) {
		for i, share := range v {
			at(e).Units[i].Share = given(share)
		}
	})
	milestoneColumns(r)
	retractionColumns(r)
	return r
}

func goods[T any](r *reader[pb.Event], name string, set func(*pb.Goods, T)) {
	column(r, quoted(name), func(e *pb.Event, v []T) {
		for i, x := range v {
			set(e.GetShipment().Goods[i], x)
		}
	})
}

func restrictions() *reader[pb.Event] {
	r := head()
	at := (*pb.Event).GetRestriction
	put(r, "effect", at, func(d *pb.Restriction, v string) { d.Effect = v })
	put(r, "limit_per_day", at, func(d *pb.Restriction, v float64) { d.LimitPerDay = given(v) })
	put(r, "direction", at, func(d *pb.Restriction, v string) { d.Direction = v })
	put(r, "applies_to", at, func(d *pb.Restriction, v string) { d.AppliesTo = v })
	column(r, millis("from_time"), func(e *pb.Event, v int64) {
		if d := at(e); d != nil {
			d.From = v
		}
	})
	column(r, millis("until_time"), func(e *pb.Event, v int64) {
		if d := at(e); d != nil {
			d.Until = v
		}
	})
	put(r, "reason", at, func(d *pb.Restriction, v string) { d.Reason = v })
	put(r, "reference", at, func(d *pb.Restriction, v string) { d.Reference = v })
	retractionColumns(r)
	return r
}

func plans() *reader[pb.Event] {
	r := head()
	at := (*pb.Event).GetBorderPlan
	put(r, "direction", at, func(d *pb.BorderPlan, v string) { d.Direction = v })
	put(r, "date", at, func(d *pb.BorderPlan, v string) { d.Date = v })
	put(r, "trains", at, func(d *pb.BorderPlan, v float64) {
		d.Trains = v
	})
	put(r, "containers", at, func(d *pb.BorderPlan, v float64) { d.Containers = given(v) })
	retractionColumns(r)
	return r
}
