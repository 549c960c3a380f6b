package sink

import (
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// versioned ends a sheet of results: what orders the versions of a row.
func versioned[B any](s *shape[B]) *sheet {
	known, version, deleted := &flat[int64]{}, &flat[uint64]{}, &flat[uint8]{}
	s.column("known_at", timeType, known, func(r *pb.Record, _ B) { known.values = append(known.values, r.KnownAt) })
	s.column("version", "UInt64", version, func(r *pb.Record, _ B) {
		version.values = append(version.values, schemas.Version(r.Epoch, r.Seq))
	})
	s.column("deleted", "UInt8", deleted, func(r *pb.Record, _ B) { deleted.values = append(deleted.values, bit(r.Deleted)) })
	return s.sheet
}

// unversioned ends a sheet of a table that computes the version itself, since several tasks may write one row.
func unversioned[B any](s *shape[B]) *sheet {
	known, deleted := &flat[int64]{}, &flat[uint8]{}
	s.column("known_at", timeType, known, func(r *pb.Record, _ B) { known.values = append(known.values, r.KnownAt) })
	s.column("deleted", "UInt8", deleted, func(r *pb.Record, _ B) { deleted.values = append(deleted.values, bit(r.Deleted)) })
	return s.sheet
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func visitSheet() *sheet {
	s := newShape(visits, (*pb.Record).GetVisit, "visits", "visits_history")
	text(s, "unit", (*pb.Visit).GetUnit)
	enum(s, "unit_kind", (*pb.Visit).GetUnitKind)
	text(s, "journey", (*pb.Visit).GetJourney)
	text(s, "place", (*pb.Visit).GetPlace)
	count(s, "n", (*pb.Visit).GetN)
	moment(s, "entered", (*pb.Visit).GetEntered)
	moment(s, "arrived", (*pb.Visit).GetArrived)
	moment(s, "departed", (*pb.Visit).GetDeparted)
	moment(s, "left", (*pb.Visit).GetLeft)
	flag(s, "stopped", (*pb.Visit).GetStopped)
	enum(s, "state", (*pb.Visit).GetState)
	text(s, "vehicle_in", (*pb.Visit).GetVehicleIn)
	text(s, "vehicle_out", (*pb.Visit).GetVehicleOut)
	text(s, "vehicle_kind", (*pb.Visit).GetVehicleKind)
	list(s, "activity_kind", "String", (*pb.Visit).GetActivities, (*pb.Span).GetKind)
	list(s, "activity_cause", "String", (*pb.Visit).GetActivities, (*pb.Span).GetCause)
	list(s, "activity_party", "String", (*pb.Visit).GetActivities, (*pb.Span).GetParty)
	list(s, "activity_from", timeType, (*pb.Visit).GetActivities, (*pb.Span).GetFrom)
	list(s, "activity_to", timeType, (*pb.Visit).GetActivities, (*pb.Span).GetTo)
	list(s, "activity_source", "String", (*pb.Visit).GetActivities, (*pb.Span).GetSource)
	list(s, "activity_bound_for", "String", (*pb.Visit).GetActivities, (*pb.Span).GetBoundFor)
	at(s, "planned_arrival", (*pb.Visit).GetPlannedArrival)
	at(s, "planned_departure", (*pb.Visit).GetPlannedDeparture)
	text(s, "direction", (*pb.Visit).GetDirection)
	seconds(s, "line_standing_s", (*pb.Visit).GetLineStandingS)
	at(s, "offered_at", (*pb.Visit).GetOfferedAt)
	at(s, "accepted_at", (*pb.Visit).GetAcceptedAt)
	count(s, "refused", (*pb.Visit).GetRefused)
	flag(s, "origin", (*pb.Visit).GetOrigin)
	flag(s, "terminus", (*pb.Visit).GetTerminus)
	seconds(s, "overlap_s", (*pb.Visit).GetOverlapS)
	at(s, "refused_at", (*pb.Visit).GetRefusedAt)
	at(s, "offered_again_at", (*pb.Visit).GetOfferedAgainAt)
	transferColumns(s, (*pb.Visit).GetTransfer)
	list(s, "otherwise_what", "String", (*pb.Visit).GetOtherwise, (*pb.Claim).GetWhat)
	list(s, "otherwise_at", timeType, (*pb.Visit).GetOtherwise, (*pb.Claim).GetAt)
	list(s, "otherwise_source", "String", (*pb.Visit).GetOtherwise, (*pb.Claim).GetSource)
	return versioned(s)
}

func legSheet() *sheet {
	s := newShape(legs, (*pb.Record).GetLeg, "legs", "legs_history")
	text(s, "unit", (*pb.Leg).GetUnit)
	enum(s, "unit_kind", (*pb.Leg).GetUnitKind)
	text(s, "journey", (*pb.Leg).GetJourney)
	text(s, "from_place", (*pb.Leg).GetFrom)
	text(s, "to_place", (*pb.Leg).GetTo)
	count(s, "n", (*pb.Leg).GetN)
	text(s, "vehicle", (*pb.Leg).GetVehicle)
	at(s, "started_at", (*pb.Leg).GetStartedAt)
	at(s, "departed_at", (*pb.Leg).GetDepartedAt)
	at(s, "arrived_at", (*pb.Leg).GetArrivedAt)
	float(s, "km", (*pb.Leg).GetKm)
	seconds(s, "stop_s", (*pb.Leg).GetStopS)
	seconds(s, "standing_s", (*pb.Leg).GetStandingS)
	seconds(s, "moving_s", (*pb.Leg).GetMovingS)
	seconds(s, "elapsed_s", (*pb.Leg).GetElapsedS)
	text(s, "mode", (*pb.Leg).GetMode)
	text(s, "section", (*pb.Leg).GetSection)
	text(s, "from_country", (*pb.Leg).GetFromCountry)
	text(s, "to_country", (*pb.Leg).GetToCountry)
	text(s, "corridor", (*pb.Leg).GetCorridor)
	text(s, "corridor_basis", (*pb.Leg).GetCorridorBasis)
	text(s, "direction", (*pb.Leg).GetDirection)
	count(s, "skipped", (*pb.Leg).GetSkipped)
	text(s, "border", (*pb.Leg).GetBorder)
	enum(s, "state", (*pb.Leg).GetState)
	return versioned(s)
}

func crossingSheet() *sheet {
	s := newShape(crossings, (*pb.Record).GetCrossing, "crossings", "crossings_history")
	text(s, "unit", (*pb.Crossing).GetUnit)
	enum(s, "unit_kind", (*pb.Crossing).GetUnitKind)
	text(s, "journey", (*pb.Crossing).GetJourney)
	text(s, "border", (*pb.Crossing).GetBorder)
	count(s, "n", (*pb.Crossing).GetN)
	text(s, "from_country", (*pb.Crossing).GetFromCountry)
	text(s, "to_country", (*pb.Crossing).GetToCountry)
	sideColumns(s, "outbound_", (*pb.Crossing).GetOutbound)
	sideColumns(s, "inbound_", (*pb.Crossing).GetInbound)
	seconds(s, "running_s", (*pb.Crossing).GetRunningS)
	seconds(s, "gauge_change_s", (*pb.Crossing).GetGaugeChangeS)
	seconds(s, "customs_s", (*pb.Crossing).GetCustomsS)
	at(s, "offered_at", (*pb.Crossing).GetOfferedAt)
	at(s, "accepted_at", (*pb.Crossing).GetAcceptedAt)
	seconds(s, "handover_s", (*pb.Crossing).GetHandoverS)
	count(s, "refused", (*pb.Crossing).GetRefused)
	seconds(s, "approach_s", (*pb.Crossing).GetApproachS)
	seconds(s, "total_s", (*pb.Crossing).GetTotalS)
	text(s, "total_basis", (*pb.Crossing).GetTotalBasis)
	seconds(s, "total_earliest_s", (*pb.Crossing).GetTotalEarliestS)
	seconds(s, "total_latest_s", (*pb.Crossing).GetTotalLatestS)
	flag(s, "has_norm", (*pb.Crossing).GetHasNorm)
	seconds(s, "norm_s", (*pb.Crossing).GetNormS)
	seconds(s, "delay_norm_s", (*pb.Crossing).GetDelayNormS)
	flag(s, "has_plan", (*pb.Crossing).GetHasPlan)
	seconds(s, "plan_s", (*pb.Crossing).GetPlanS)
	seconds(s, "delay_plan_s", (*pb.Crossing).GetDelayPlanS)
	flag(s, "candidate", (*pb.Crossing).GetCandidate)
	enum(s, "state", (*pb.Crossing).GetState)
	text(s, "consist", (*pb.Crossing).GetConsist)
	text(s, "vehicle_in", (*pb.Crossing).GetVehicleIn)
	text(s, "vehicle_out", (*pb.Crossing).GetVehicleOut)
	text(s, "gauge_break", (*pb.Crossing).GetGaugeBreak)
	text(s, "corridor", (*pb.Crossing).GetCorridor)
	text(s, "area", (*pb.Crossing).GetArea)
	at(s, "refused_at", (*pb.Crossing).GetRefusedAt)
	at(s, "offered_again_at", (*pb.Crossing).GetOfferedAgainAt)
	transferColumns(s, (*pb.Crossing).GetTransfer)
	return versioned(s)
}

// sideColumns adds the columns of one side of a crossing; a side that was not seen has zeros.
func sideColumns(s *shape[*pb.Crossing], prefix string, side func(*pb.Crossing) *pb.Side) {
	of := func(get func(*pb.Side) string) func(*pb.Crossing) string {
		return func(c *pb.Crossing) string { return get(side(c)) }
	}
	number := func(get func(*pb.Side) int64) func(*pb.Crossing) int64 {
		return func(c *pb.Crossing) int64 { return get(side(c)) }
	}
	has := func(get func(*pb.Side) bool) func(*pb.Crossing) bool {
		return func(c *pb.Crossing) bool { return get(side(c)) }
	}
	when := func(get func(*pb.Side) *pb.Moment) func(*pb.Crossing) *pb.Moment {
		return func(c *pb.Crossing) *pb.Moment { return get(side(c)) }
	}
	text(s, prefix+"role", of((*pb.Side).GetRole))
	text(s, prefix+"country", of((*pb.Side).GetCountry))
	texts(s, prefix+"places", func(c *pb.Crossing) []string { return side(c).GetPlaces() })
	moment(s, prefix+"entered", when((*pb.Side).GetEntered))
	moment(s, prefix+"arrived", when((*pb.Side).GetArrived))
	moment(s, prefix+"departed", when((*pb.Side).GetDeparted))
	moment(s, prefix+"left", when((*pb.Side).GetLeft))
	seconds(s, prefix+"seconds", number((*pb.Side).GetSeconds))
	seconds(s, prefix+"customs_s", number((*pb.Side).GetCustomsS))
	seconds(s, prefix+"gauge_change_s", number((*pb.Side).GetGaugeChangeS))
	seconds(s, prefix+"other_s", number((*pb.Side).GetOtherS))
	seconds(s, prefix+"unexplained_s", number((*pb.Side).GetUnexplainedS))
	flag(s, prefix+"has_norm", has((*pb.Side).GetHasNorm))
	seconds(s, prefix+"norm_s", number((*pb.Side).GetNormS))
	seconds(s, prefix+"delay_norm_s", number((*pb.Side).GetDelayNormS))
	flag(s, prefix+"has_plan", has((*pb.Side).GetHasPlan))
	seconds(s, prefix+"plan_s", number((*pb.Side).GetPlanS))
	seconds(s, prefix+"delay_plan_s", number((*pb.Side).GetDelayPlanS))
	causes := func(c *pb.Crossing) []*pb.CauseTime { return side(c).GetCauses() }
	list(s, prefix+"cause", "String", causes, (*pb.CauseTime).GetCause)
	list(s, prefix+"cause_s", "Int64", causes, (*pb.CauseTime).GetSeconds)
	seconds(s, prefix+"overlap_s", number((*pb.Side).GetOverlapS))
	texts(s, prefix+"vehicles", func(c *pb.Crossing) []string { return side(c).GetVehicles() })
	enum(s, prefix+"state", func(c *pb.Crossing) pb.State { return side(c).GetState() })
}

func statusSheet() *sheet {
	s := newShape(status, (*pb.Record).GetTrainStatus, "train_status")
	text(s, "run", (*pb.TrainStatus).GetRun)
	enum(s, "unit_kind", (*pb.TrainStatus).GetUnitKind)
	enum(s, "state", (*pb.TrainStatus).GetState)
	at(s, "seen_at", (*pb.TrainStatus).GetSeenAt)
	value(s, "lat_e7", "Int32", (*pb.TrainStatus).GetLatE7)
	value(s, "lon_e7", "Int32", (*pb.TrainStatus).GetLonE7)
	flag(s, "has_position", (*pb.TrainStatus).GetHasPosition)
	float(s, "speed_kmh", (*pb.TrainStatus).GetSpeedKmh)
	text(s, "place", (*pb.TrainStatus).GetPlace)
	text(s, "last_place", (*pb.TrainStatus).GetLastPlace)
	at(s, "since", (*pb.TrainStatus).GetSince)
	flag(s, "standing", (*pb.TrainStatus).GetStanding)
	text(s, "destination", (*pb.TrainStatus).GetDestination)
	text(s, "corridor", (*pb.TrainStatus).GetCorridor)
	text(s, "direction", (*pb.TrainStatus).GetDirection)
	count(s, "wagons", (*pb.TrainStatus).GetWagons)
	count(s, "containers", (*pb.TrainStatus).GetContainers)
	text(s, "source", (*pb.TrainStatus).GetSource)
	at(s, "same_since", (*pb.TrainStatus).GetSameSince)
	flag(s, "overfull", (*pb.TrainStatus).GetOverfull)
	return versioned(s)
}

func recomputeSheet() *sheet {
	s := newShape(recomputes, (*pb.Record).GetRecomputed, "recomputed")
	value(s, "id", "UInt64", (*pb.Recomputed).GetId)
	text(s, "stage", func(r *pb.Recomputed) string { return schemas.StageName(r.GetStage()) })
	text(s, "subject", (*pb.Recomputed).GetSubject)
	enum(s, "unit_kind", (*pb.Recomputed).GetUnitKind)
	text(s, "refused", (*pb.Recomputed).GetRefused)
	count(s, "events", (*pb.Recomputed).GetEvents)
	count(s, "late", (*pb.Recomputed).GetLate)
	return versioned(s)
}

func rejectSheet() *sheet {
	s := newShape(rejects, (*pb.Record).GetReject, "rejects")
	text(s, "id", (*pb.Reject).GetId)
	text(s, "source", (*pb.Reject).GetSource)
	text(s, "reason", (*pb.Reject).GetReason)
	text(s, "detail", (*pb.Reject).GetDetail)
	text(s, "path", (*pb.Reject).GetPath)
	text(s, "value", func(r *pb.Reject) string { return string(r.GetValue()) })
	text(s, "content_type", (*pb.Reject).GetContentType)
	at(s, "at", (*pb.Reject).GetAt)
	count(s, "attempts", (*pb.Reject).GetAttempts)
	at(s, "accepted_at", (*pb.Reject).GetAcceptedAt)
	return unversioned(s)
}
