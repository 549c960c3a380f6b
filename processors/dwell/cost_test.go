package dwell

import (
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// TestCostIsNoEvidence: money paid at a place says nothing of where the run was, neither when it comes nor in a recompute.
func TestCostIsNoEvidence(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	cost := &pb.Event{Source: "s", Id: "1", Verb: pb.Verb_COST, UnitKind: pb.UnitKind_TRAIN, Subject: "R", Place: "kz-altynkol", Time: 1, Hash: 1,
		Data: &pb.Event_Cost{Cost: &pb.Cost{Amount: 1, Currency: "USD"}}}
	piece := &pb.Recompute{Id: 1, Stage: pb.Stage_DWELL, Subject: "R", UnitKind: pb.UnitKind_TRAIN, Pieces: 1, Events: []*pb.Event{cost}}
	f := newFold(cat)
	out := stream.NewOut(func(topic, _ string, rec *pb.Record) {
		if topic != schemas.Recomputed && !rec.Deleted {
			t.Errorf("told in %s: %v", topic, rec)
		}
	}, nil)
	for _, rec := range []*pb.Record{{Body: &pb.Record_Event{Event: cost}}, {Body: &pb.Record_Recompute{Recompute: piece}}} {
		f.Fold(stream.In{Now: 2, Rec: rec}, out)
		f.Advance(3, out)
	}
	if len(f.runs) != 0 {
		t.Errorf("%d runs of which nothing is known", len(f.runs))
	}
}
