// Package chaintest runs intake, dwell and border one behind the other in memory: one task each, no broker, no clock. What would lie
// in the result topics is held as a consumer of them holds it: the latest of every key.
//
//	c := chaintest.New(cat, intake.Config{}, 0)
//	c.Put(event)     // JSON or protobuf, as it would lie in the intake topic
//	c.Tick(ms)       // closes a round in all stages
//	c.Visits()
package chaintest

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/processors/stream/foldtest"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Chain is the three stages and what they told.
type Chain struct {
	intake, dwell, border *foldtest.Fold
	now                   int64
	told                  map[string]*pb.Record
}

// New makes a chain under a catalogue. Every stage writes its state and reads it again after every so many records; 0: never.
func New(cat *network.Catalog, cfg intake.Config, every int) *Chain {
	return &Chain{
		intake: foldtest.New(intake.Stage(cat, cfg), every), dwell: foldtest.New(dwell.Stage(cat), every),
		border: foldtest.New(border.Stage(cat), every), told: map[string]*pb.Record{},
	}
}

// Put gives a record to intake, and what comes of it to the stages behind.
func (c *Chain) Put(value []byte) {
	var tick int64
	out := stream.NewOut(c.route, func(t int64) { tick = t })
	c.intake.Fold(stream.In{Now: c.now, Raw: &kafkalog.Record{Value: value}}, out)
	if tick > c.now {
		c.advance(tick)
	}
}

// Tick lets time pass; one that is not ahead changes nothing.
func (c *Chain) Tick(t int64) {
	value, err := proto.Marshal(&pb.Event{Source: "clock", Id: fmt.Sprint(t), Verb: pb.Verb_TICK, Time: t})
	if err != nil {
		panic(err)
	}
	c.Put(value)
}

// advance closes the round: dwell first, whose records border is to have before it closes its own.
func (c *Chain) advance(t int64) {
	c.now = t
	out := stream.NewOut(c.route, nil)
	c.intake.Advance(t, out)
	c.dwell.Advance(t, out)
	c.border.Advance(t, out)
}

// route brings a record where its topic leads.
func (c *Chain) route(topic, key string, rec *pb.Record) {
	rec = proto.CloneOf(rec) // as it would come out of the log
	in := stream.In{Now: c.now, Rec: rec}
	switch topic {
	case schemas.TrainEvents:
		c.dwell.Fold(in, stream.NewOut(c.route, nil))
	case schemas.UnitEvents:
		c.border.Fold(in, stream.NewOut(c.route, nil))
	case schemas.AreaEvents: // of the delay stage, which is not in the chain
	default:
		if id := identity(rec); rec.Deleted {
			delete(c.told, id)
		} else {
			c.told[id] = rec
		}
	}
}

// identity is the key of a row.
func identity(rec *pb.Record) string {
	switch b := rec.Body.(type) {
	case *pb.Record_Visit:
		return fmt.Sprintf("visit|%s|%s|%s|%d", b.Visit.Unit, b.Visit.Journey, b.Visit.Place, b.Visit.N)
	case *pb.Record_Leg:
		return fmt.Sprintf("leg|%s|%s|%s|%s|%d", b.Leg.Unit, b.Leg.Journey, b.Leg.From, b.Leg.To, b.Leg.N)
	case *pb.Record_Crossing:
		return fmt.Sprintf("crossing|%s|%s|%s|%d", b.Crossing.Unit, b.Crossing.Journey, b.Crossing.Border, b.Crossing.N)
	case *pb.Record_TrainStatus:
		return "status|" + b.TrainStatus.Run
	case *pb.Record_Reject:
		return "reject|" + b.Reject.Id
	}
	return fmt.Sprintf("%T|%d", rec.Body, rec.Seq)
}

// Visits are all that hold, in order of unit and time.
func (c *Chain) Visits() []*pb.Visit {
	all := collect(c, (*pb.Record).GetVisit)
	slices.SortFunc(all, func(a, b *pb.Visit) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(Begin(a), Begin(b)), cmp.Compare(a.Place, b.Place), cmp.Compare(a.N, b.N))
	})
	return all
}

// Begin is the first time a visit knows of.
func Begin(v *pb.Visit) int64 {
	return cmp.Or(v.Entered.GetAt(), v.Arrived.GetAt(), v.Entered.GetLatest(), v.Departed.GetAt(), v.Left.GetAt())
}

// Crossings are all that hold, in order of unit and time.
func (c *Chain) Crossings() []*pb.Crossing {
	all := collect(c, (*pb.Record).GetCrossing)
	began := func(c *pb.Crossing) int64 {
		return cmp.Or(c.Outbound.Entered.GetAt(), c.Outbound.Arrived.GetAt(), c.Inbound.Entered.GetAt(), c.Inbound.Arrived.GetAt())
	}
	slices.SortFunc(all, func(a, b *pb.Crossing) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(began(a), began(b)), cmp.Compare(a.Border, b.Border), cmp.Compare(a.N, b.N))
	})
	return all
}

// Legs are all that hold, in order of unit and time.
func (c *Chain) Legs() []*pb.Leg {
	all := collect(c, (*pb.Record).GetLeg)
	slices.SortFunc(all, func(a, b *pb.Leg) int {
		return cmp.Or(cmp.Compare(a.Unit, b.Unit), cmp.Compare(a.DepartedAt, b.DepartedAt), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	return all
}

// Statuses are those of all runs, in order of run.
func (c *Chain) Statuses() []*pb.TrainStatus {
	all := collect(c, (*pb.Record).GetTrainStatus)
	slices.SortFunc(all, func(a, b *pb.TrainStatus) int { return cmp.Compare(a.Run, b.Run) })
	return all
}

// Rejects are what intake did not take, in order of what was sent.
func (c *Chain) Rejects() []*pb.Reject {
	all := collect(c, (*pb.Record).GetReject)
	slices.SortFunc(all, func(a, b *pb.Reject) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(string(a.Value), string(b.Value)))
	})
	return all
}

func collect[M comparable](c *Chain, body func(*pb.Record) M) []M {
	var all []M
	var none M
	for _, rec := range c.told {
		if m := body(rec); m != none {
			all = append(all, m)
		}
	}
	return all
}

// DwellState is the size of the dwell stage's state, in bytes as it is written to a checkpoint.
func (c *Chain) DwellState() (int, error) {
	state, err := c.dwell.Snapshot()
	return len(state), err
}
