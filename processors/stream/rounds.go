package stream

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// rounds hold the records of upstream tasks that are ahead of another one: they are folded when stage time reaches their round. So
// what has been folded when a round closes does not depend on how the tasks got ahead of one another.
type rounds []round // the earliest first

// round is what upstream tasks wrote between a mark and the next, in the order in which it came.
type round struct {
	mark int64
	recs []*pb.Record
}

func (r *rounds) add(mark int64, rec *pb.Record) {
	i, there := slices.BinarySearchFunc(*r, mark, func(a round, mark int64) int { return cmp.Compare(a.mark, mark) })
	if !there {
		*r = slices.Insert(*r, i, round{mark: mark})
	}
	(*r)[i].recs = append((*r)[i].recs, rec)
}

// reached takes the rounds up to now out.
func (r *rounds) reached(now int64) []round {
	n := 0
	for n < len(*r) && (*r)[n].mark <= now {
		n++
	}
	out := (*r)[:n:n]
	*r = (*r)[n:]
	return out
}

// describe puts them into a checkpoint.
func (r rounds) describe(c *pb.Checkpoint) error {
	for _, one := range r {
		for _, rec := range one.recs {
			value, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
			if err != nil {
				return fmt.Errorf("encode a record that is ahead: %w", err)
			}
			c.Ahead = append(c.Ahead, &pb.Ahead{Round: one.mark, Record: value})
		}
	}
	return nil
}

// restore takes them from a checkpoint.
func (r *rounds) restore(c *pb.Checkpoint) error {
	for _, a := range c.Ahead {
		rec := new(pb.Record)
		if err := proto.Unmarshal(a.Record, rec); err != nil {
			return fmt.Errorf("a record that was ahead, in the checkpoint of offset %d: %w", c.InputOffset, err)
		}
		r.add(a.Round, rec)
	}
	return nil
}
