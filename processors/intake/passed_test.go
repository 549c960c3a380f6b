package intake_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// TestPassedBefore: what has passed an intake goes on with the stamps it has; what cannot be that is rejected.
func TestPassedBefore(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	fold := intake.Stage(cat, intake.Config{}).New()
	late := &pb.Event{Source: "s", Id: "1", Subject: "KTZ:1:2026-03-01", UnitKind: pb.UnitKind_TRAIN, Verb: pb.Verb_PASSED, Time: 5, AcceptedAt: 7, Late: true, Hash: 9}
	piece := func(change func(*pb.Recompute)) *pb.Recompute {
		p := &pb.Recompute{Id: 3, Stage: pb.Stage_DWELL, Subject: late.Subject, UnitKind: pb.UnitKind_TRAIN, Pieces: 2, Piece: 1, Events: []*pb.Event{proto.CloneOf(late)}}
		change(p)
		return p
	}
	plan := &pb.Event{Source: "s", Id: "2", Subject: "khorgos", Verb: pb.Verb_BORDER_PLAN, Time: 5, AcceptedAt: 7, Hash: 9}
	for _, c := range []struct {
		name, contentType string
		value             proto.Message
		want              []string
	}{
		{"piece for dwell", schemas.RecomputeType, piece(func(*pb.Recompute) {}), []string{"train-events KTZ:1:2026-03-01 recompute 3"}},
		{"piece for border", schemas.RecomputeType, piece(func(p *pb.Recompute) { p.Stage = pb.Stage_BORDER }), []string{"unit-events KTZ:1:2026-03-01 recompute 3"}},
		{"of a box at dwell", schemas.RecomputeType, piece(func(p *pb.Recompute) { p.UnitKind = pb.UnitKind_CONTAINER }), []string{"rejects"}},
		{"too many pieces", schemas.RecomputeType, piece(func(p *pb.Recompute) { p.Pieces = 1025 }), []string{"rejects"}},
		{"another's event", schemas.RecomputeType, piece(func(p *pb.Recompute) { p.Events[0].Subject = "X" }), []string{"rejects"}},
		{"accepted", schemas.AcceptedType, &pb.Accepted{Events: []*pb.Event{late, plan}, Rejects: []*pb.Reject{{Id: "r", Attempts: 3, At: 4}}},
			[]string{"train-events KTZ:1:2026-03-01 accepted 7 late true hash 9", "plans s#2 accepted 7 late false hash 9", "area-events khorgos accepted 7 late false hash 9", "rejects r 3 at 4"}},
		{"goes nowhere", schemas.AcceptedType, &pb.Accepted{Events: []*pb.Event{late, {Source: "s", Id: "3", Hash: 1}}}, []string{"rejects"}},
	} {
		value, err := proto.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		out := stream.NewOut(func(topic, key string, rec *pb.Record) {
			line := topic + " " + key
			switch b := rec.Body.(type) {
			case *pb.Record_Recompute:
				line += fmt.Sprintf(" recompute %d", b.Recompute.Id)
			case *pb.Record_Event:
				line += fmt.Sprintf(" accepted %d late %v hash %d", b.Event.AcceptedAt, b.Event.Late, b.Event.Hash)
			case *pb.Record_Reject:
				if line += fmt.Sprintf(" %d at %d", b.Reject.Attempts, b.Reject.At); b.Reject.Reason == schemas.Unreadable {
					line = "rejects"
				}
			}
			got = append(got, line)
		}, nil)
		raw := &kafkalog.Record{Value: value, Headers: []kafkalog.Header{{Key: schemas.HeaderContentType, Value: []byte(c.contentType)}}}
		fold.Fold(stream.In{Now: 100, Raw: raw}, out)
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
