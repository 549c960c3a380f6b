package border

import (
	"cmp"
	"slices"

	"corridorwatch/schemas/pb"
)

// transfer is the one at a gauge break: on the outbound side if the container changes vehicles there, else on the inbound side, whether
// or not it has changed there yet.
func (c *passage) transfer(j journey) *pb.Transfer {
	if c.outbound != nil {
		if t := transferOf(c.outbound.stays, c.outbound.last+1 < len(j.stays)); t.GetSecond() != "" || c.inbound == nil && t.GetOffAt() != 0 {
			return t
		}
	}
	if c.inbound == nil {
		return nil
	}
	return transferOf(c.inbound.stays, c.inbound.last+1 < len(j.stays))
}

// transferAt is the change of vehicles at stays, nil where none has begun.
func transferAt(stays []*stay, gone bool) *pb.Transfer {
	if t := transferOf(stays, gone); t.GetOffAt() != 0 {
		return t
	}
	return nil
}

// transferOf divides the time at some stays that follow one another between the vehicle that brought the unit and the one that took it
// on; gone says that the unit was seen elsewhere since.
func transferOf(stays []*stay, gone bool) *pb.Transfer {
	var boards []*board
	var at []*stay // of each board
	t := &pb.Transfer{}
	for _, s := range stays {
		for _, b := range s.boards {
			boards, at = append(boards, b), append(at, s)
		}
		if !slices.Contains(t.Places, s.Place) {
			t.Places = append(t.Places, s.Place)
		}
	}
	first, last := stays[0], stays[len(stays)-1]
	t.Arrived = cmp.Or(first.Arrived.GetAt(), first.start())
	if len(boards) == 0 || t.Arrived == 0 || first.VehicleIn == "" {
		return nil // nobody brought it
	}
	n := 1 // boards of the first vehicle
	for n < len(boards) && boards[n].run == boards[0].run {
		n++
	}
	t.First, t.OffAt = boards[0].run, boards[n-1].to
	if n < len(boards) {
		k := len(boards) - 1 // where the boards of the second begin
		for boards[k-1].run == boards[k].run {
			k--
		}
		t.Second, t.OnAt = boards[k].run, boards[k].on
		if t.OffAt == 0 { // it came to the next place under another identity
			t.OffAt = cmp.Or(at[n-1].went(), t.OnAt)
		}
	}
	t.Departed = last.went()
	if last.Stopped && last.Departed == nil || last.State != pb.State_CLOSED && !gone {
		t.Departed = 0
	}
	all := spansOf(stays)
	until := t.Departed
	if until == 0 {
		t.AsOf = max(t.Arrived, t.OffAt, t.OnAt)
		for _, a := range all {
			if t.AsOf = max(t.AsOf, a.From, a.To); a.To == 0 && !slices.Contains(t.GoingOn, a.Kind) {
				t.GoingOn = append(t.GoingOn, a.Kind)
			}
		}
		slices.Sort(t.GoingOn)
		until = t.AsOf
	}
	off := cmp.Or(t.OffAt, until)
	on := cmp.Or(t.OnAt, until)
	t.OnFirstS = (off - t.Arrived) / 1000
	if t.OffAt != 0 {
		t.BetweenS = (on - off) / 1000
	}
	if t.OnAt != 0 {
		t.OnSecondS = (until - on) / 1000
	}
	c := causesOf(stays, t.Arrived, until)
	for _, cause := range t.GoingOn {
		c[cause] = append(c[cause], span{}) // one that begins only now
	}
	t.Causes, t.OverlapS = c.each()
	t.UnexplainedS = (until-t.Arrived)/1000 - c.of(anything)
	return t
}
