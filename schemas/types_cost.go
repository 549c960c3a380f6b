package schemas

import (
	"math"
	"strconv"

	"corridorwatch/schemas/pb"
)

// costType is money paid on the way, for TFI2 and TFI3 of CAREC CPMM. Amounts are kept in the currency they were paid in.
func costType() *eventType {
	at := func(e *pb.Event) *pb.Cost { return e.GetCost() }
	currency := textField("currency", "text", "ISO 4217, such as USD; nothing is converted", func(e *pb.Event) *string { return &at(e).Currency }).required()
	currency.check = func(e *pb.Event) *Fault {
		c := at(e).Currency
		for i := 0; i < len(c); i++ {
			if c[i] < 'A' || c[i] > 'Z' || len(c) != 3 {
				return impossible(strconv.Quote(clip(c, 20)) + " is not a code of ISO 4217: three capital letters, such as USD")
			}
		}
		return nil
	}
	return &eventType{
		verb: pb.Verb_COST, word: "cost", prefixes: movers, subject: "run or unit", about: "money paid for it at a place, or for its way from there to another",
		start: func(e *pb.Event) { e.Data = &pb.Event_Cost{Cost: new(pb.Cost)} },
		has:   func(e *pb.Event) bool { return e.GetCost() != nil },
		data: shape[pb.Event]{
			placeField("where it was paid, or where the way begins it was paid for").required(),
			numberField("amount", "in the currency", func(e *pb.Event) *float64 { return &at(e).Amount }).required(),
			currency,
			flagField("official", "false: paid without a receipt; official if not given", func(e *pb.Event) **bool { return &at(e).Official }),
			textField("kind", "code", "what for, such as customs, transhipment, tariff", func(e *pb.Event) *string { return &at(e).Kind }),
			textField("to_place", "place", "end of the way it was paid for; without it the place alone", func(e *pb.Event) *string { return &at(e).ToPlace }),
			maybeField("km", "length of the way; without it that of the catalogue", math.MaxFloat64, func(e *pb.Event) **float64 { return &at(e).Km }),
			maybeField("weight_t", "weight of the cargo it was paid for, tonnes", math.MaxFloat64, func(e *pb.Event) **float64 { return &at(e).WeightT }),
		},
	}
}
