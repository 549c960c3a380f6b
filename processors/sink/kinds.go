package sink

import (
	"fmt"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// kind is what a row is; it says which columns it fills and which tables it goes to.
type kind int

const (
	trainPositions kind = iota
	trainOthers
	unitPositions
	unitOthers
	shipments
	restrictions
	plans
	rejects
	status
	visits
	legs
	crossings
	crossingDelays
	delayStats
	alerts
	recomputes
	kinds // how many there are
)

// events tells whether rows of kind k are events, of which each comes about once; results come in many versions.
func (k kind) events() bool { return k < rejects }

func newSheet(k kind) *sheet {
	switch k {
	case trainPositions:
		return positionSheet(k, "train_events")
	case trainOthers:
		return otherSheet(k, "train_events")
	case unitPositions:
		return positionSheet(k, "unit_events")
	case unitOthers:
		return otherSheet(k, "unit_events")
	case shipments:
		return shipmentSheet()
	case restrictions:
		return restrictionSheet()
	case plans:
		return planSheet()
	case rejects:
		return rejectSheet()
	case status:
		return statusSheet()
	case visits:
		return visitSheet()
	case legs:
		return legSheet()
	case crossings:
		return crossingSheet()
	case crossingDelays:
		return crossingDelaySheet()
	case delayStats:
		return delayStatsSheet()
	case alerts:
		return alertSheet()
	case recomputes:
		return recomputeSheet()
	}
	panic(fmt.Sprintf("sink: no sheet for kind %d", k))
}

// kindOf says what row a record of a topic makes; none for marks, and for what only the next stage reads.
func kindOf(topic string, rec *pb.Record) (k kind, ok bool, err error) {
	switch b := rec.Body.(type) {
	case *pb.Record_Mark, *pb.Record_Ride, *pb.Record_RunFacts, *pb.Record_Recompute:
		return 0, false, nil
	case *pb.Record_Event:
		if k, ok := eventKind(topic, b.Event); ok {
			return k, true, nil
		}
	case *pb.Record_Reject:
		return rejects, true, nil
	case *pb.Record_TrainStatus:
		return status, true, nil
	case *pb.Record_Visit:
		return visits, true, nil
	case *pb.Record_Leg:
		return legs, true, nil
	case *pb.Record_Crossing:
		return crossings, true, nil
	case *pb.Record_CrossingDelay:
		return crossingDelays, true, nil
	case *pb.Record_DelayStats:
		return delayStats, true, nil
	case *pb.Record_Alert:
		return alerts, true, nil
	case *pb.Record_Recomputed:
		return recomputes, true, nil
	}
	return 0, false, fmt.Errorf("a record of type %T has no table: it was written by a newer version, update this one", rec.Body)
}

// shardKey is what chooses the shard of a record's row: the value of the column clickhouse.ShardKey names.
func shardKey(rec *pb.Record) string {
	switch b := rec.Body.(type) {
	case *pb.Record_Event:
		return b.Event.GetSubject()
	case *pb.Record_Reject:
		return b.Reject.GetId()
	case *pb.Record_TrainStatus:
		return b.TrainStatus.GetRun()
	case *pb.Record_Visit:
		return b.Visit.GetUnit()
	case *pb.Record_Leg:
		return b.Leg.GetUnit()
	case *pb.Record_Crossing:
		return b.Crossing.GetUnit()
	case *pb.Record_CrossingDelay:
		return b.CrossingDelay.GetUnit()
	case *pb.Record_DelayStats:
		return b.DelayStats.GetArea()
	case *pb.Record_Alert:
		return b.Alert.GetFingerprint()
	case *pb.Record_Recomputed:
		return b.Recomputed.GetSubject()
	}
	panic(fmt.Sprintf("sink: no shard key for a record of type %T", rec.Body))
}

func eventKind(topic string, e *pb.Event) (kind, bool) {
	if topic == schemas.Recomputed {
		topic, _ = schemas.Route(e) // it was late: its row is in the table of the topic it came by
	}
	fix := e.GetPosition() != nil
	switch {
	case topic == schemas.TrainEvents && fix:
		return trainPositions, true
	case topic == schemas.TrainEvents:
		return trainOthers, true
	case topic == schemas.UnitEvents && fix:
		return unitPositions, true
	case topic == schemas.UnitEvents:
		return unitOthers, true
	case topic == schemas.Shipments:
		return shipments, true
	case topic == schemas.Restrictions:
		return restrictions, true
	case topic == schemas.Plans:
		return plans, true
	}
	return 0, false
}
