package border

import "corridorwatch/schemas/pb"

// handover is what was said of handing a unit over at a border, under all the identities it had there.
type handover struct {
	offered, again, accepted, refusedAt int64
	refused                             uint32
}

// saidOf joins what was said at several stays: the first offer, the last refusal, the first offer after it, and the acceptance that
// held.
func saidOf(stays ...*stay) (h handover) {
	for _, s := range stays {
		h.offered = earliest(h.offered, s.OfferedAt)
		h.refusedAt = max(h.refusedAt, s.RefusedAt)
		h.refused += s.Refused
	}
	for _, s := range stays {
		if s.AcceptedAt > h.refusedAt {
			h.accepted = earliest(h.accepted, s.AcceptedAt)
		}
		for _, offer := range []int64{s.OfferedAt, s.OfferedAgainAt} {
			if h.refusedAt != 0 && offer > h.refusedAt {
				h.again = earliest(h.again, offer)
			}
		}
	}
	return h
}

func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// handover says what was said at the crossing. On the inbound side nothing is offered: where that was, it is the hand-over of the
// way back, and so it is on an outbound side that was the inbound one of the crossing before.
func (c *passage) handover() {
	var stays []*stay
	if c.outbound != nil {
		for _, s := range c.outbound.stays {
			if s.OfferedAt != 0 || !c.back {
				stays = append(stays, s)
			}
		}
	}
	if c.inbound != nil {
		for _, s := range c.inbound.stays {
			if s.OfferedAt == 0 {
				stays = append(stays, s)
			}
		}
	}
	h := saidOf(stays...)
	c.OfferedAt, c.OfferedAgainAt, c.AcceptedAt, c.RefusedAt, c.Refused = h.offered, h.again, h.accepted, h.refusedAt, h.refused
	if c.OfferedAt != 0 && c.AcceptedAt != 0 {
		c.HandoverS = (c.AcceptedAt - c.OfferedAt) / 1000
	}
}

// handedOn tells whether the hand-over of the last group was offered and not refused for good: the train goes over, if need be under
// another identity.
func (g *group) handedOn() bool {
	h := saidOf(g.stays...)
	return h.offered != 0 && (h.refusedAt == 0 || h.again != 0 || h.accepted != 0)
}

// takenOn tells whether the first group is the inbound side of a train that was accepted from over the border under another identity:
// it was seen to arrive there, and was not offered on.
func (g *group) takenOn() bool {
	h := saidOf(g.stays...)
	return g.first == 0 && h.offered == 0 && h.accepted != 0 && g.stays[0].Arrived.GetBasis() == pb.Basis_REPORT
}
