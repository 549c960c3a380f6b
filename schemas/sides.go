package schemas

import "corridorwatch/schemas/pb"

// SideEntry is the moment from which a side of a border is measured: when the unit came into its fence, or arrived where nobody saw that;
// nil or 0 if neither is known.
func SideEntry(s *pb.Side) *pb.Moment {
	if s.GetEntered().GetAt() != 0 {
		return s.GetEntered()
	}
	return s.GetArrived()
}

// SideExit is the moment up to which it is measured: when the unit was out of the fence, or departed where nobody saw that. A departure that
// was reported counts more than when the unit must have been out.
func SideExit(s *pb.Side) *pb.Moment {
	reported := s.GetDeparted().GetBasis() == pb.Basis_REPORT && s.GetLeft().GetBasis() == pb.Basis_INFERRED
	if s.GetLeft().GetAt() != 0 && !reported {
		return s.GetLeft()
	}
	return s.GetDeparted()
}
