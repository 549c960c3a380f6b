package main

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/delay"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// chain is every stage in memory, one task each, without topics, checkpoints or tables. Results are a function of the events and of
// when they were accepted, so it comes to what the tasks of an installation come to.
type chain struct {
	intake, dwell, border stream.Fold
	delay                 stream.Fold // nil: the chain ends with border
	told                  func(*pb.Alert)

	now  int64 // last tick, ms
	seq  uint64
	recs []*pb.Event // accepted since
}

// newChain makes the stages of a catalogue. told gets every version of every alert.
func newChain(cat *network.Catalog, set delay.Settings, told func(*pb.Alert)) *chain {
	return &chain{
		intake: intake.Stage(cat, intake.Config{}).New(), dwell: dwell.Stage(cat).New(), border: border.Stage(cat).New(),
		delay: delay.StageWith(cat, set).New(), told: told,
	}
}

// accepted takes an event that was accepted at a time. Those of one subject come in the order of that.
func (c *chain) accepted(ctx context.Context, at int64, ev *pb.Event) error {
	if err := c.tickTo(ctx, at); err != nil {
		return err
	}
	c.recs = append(c.recs, ev)
	return nil
}

// tickTo lets time pass up to t, with a tick each minute: then detectors see at each point of the grid what the installation's saw,
// whatever its rhythm. Before the first event no time passes.
func (c *chain) tickTo(ctx context.Context, t int64) error {
	if err := c.fold(); err != nil {
		return err
	}
	if c.now != 0 {
		for m := c.now - c.now%minuteMS + minuteMS; m < t; m += minuteMS {
			if c.tick(m); m%(24*60*minuteMS) == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	if t > c.now {
		c.tick(t)
	}
	return nil
}

// fold gives intake what was accepted since the last tick.
func (c *chain) fold() error {
	if len(c.recs) == 0 {
		return nil
	}
	value, err := proto.Marshal(&pb.Accepted{Events: c.recs})
	if err != nil {
		return fmt.Errorf("write what was accepted: %w", err)
	}
	c.recs = c.recs[:0]
	raw := &kafkalog.Record{Value: value, Headers: []kafkalog.Header{{Key: schemas.HeaderContentType, Value: []byte(schemas.AcceptedType)}}}
	c.intake.Fold(stream.In{Now: c.now, Raw: raw}, c.out(pb.Stage_INTAKE, c.now))
	return nil
}

// tick closes the round, in each stage after those before it.
func (c *chain) tick(t int64) {
	c.intake.Advance(t, c.out(pb.Stage_INTAKE, t))
	c.dwell.Advance(t, c.out(pb.Stage_DWELL, t))
	c.border.Advance(t, c.out(pb.Stage_BORDER, t))
	if c.delay != nil {
		c.delay.Advance(t, c.out(pb.Stage_DELAY, t))
	}
	c.now = t
}

// out brings records where their topic leads, as they would come out of the log: in the round that the last tick began.
func (c *chain) out(stage pb.Stage, known int64) *stream.Out {
	return stream.NewOut(func(topic, _ string, rec *pb.Record) {
		var to stream.Fold
		switch topic {
		case schemas.TrainEvents:
			to = c.dwell
		case schemas.UnitEvents:
			to = c.border
		case schemas.AreaEvents:
			if to = c.delay; to != nil {
				rec = proto.CloneOf(rec) // the stage before has it as well
			}
		case schemas.Alerts:
			if a := rec.GetAlert(); a != nil && !rec.Deleted {
				c.told(a)
			}
		}
		if to == nil {
			return
		}
		c.seq++
		rec.Stage, rec.Epoch, rec.Seq, rec.KnownAt = stage, 1, c.seq, known
		to.Fold(stream.In{Now: c.now, Rec: rec, Round: c.now}, c.out(readerOf[topic], c.now))
	}, nil)
}

// readerOf is the stage that reads a topic.
var readerOf = map[string]pb.Stage{schemas.TrainEvents: pb.Stage_DWELL, schemas.UnitEvents: pb.Stage_BORDER, schemas.AreaEvents: pb.Stage_DELAY}
