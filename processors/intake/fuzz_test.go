package intake_test

import (
	"mime"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// FuzzFold: whatever lies in the topic, every element of it ends as an event, a tick or a reject, and an event that was accepted is
// accepted again, unchanged, from protobuf and from JSON.
func FuzzFold(f *testing.F) {
	cat, err := network.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	files, _ := filepath.Glob("../../schemas/testdata/events/*.json")
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "")
		if ev, fault := schemas.DecodeJSON(text); fault == nil {
			f.Add(marshal(f, ev), schemas.ProtobufType)
		}
	}
	f.Add([]byte("[{},3]"), schemas.BatchType)
	f.Add([]byte("[1,[2,"), "application/json")
	ev := &pb.Event{Source: "s", Id: "1", Subject: "A:1:2026-03-01", UnitKind: pb.UnitKind_TRAIN, Verb: pb.Verb_ENDED, Time: 1, Hash: 1}
	f.Add(marshal(f, &pb.Recompute{Id: 1, Stage: pb.Stage_DWELL, Subject: ev.Subject, UnitKind: ev.UnitKind, Pieces: 1, Events: []*pb.Event{ev}}), schemas.RecomputeType)
	f.Add(marshal(f, &pb.Accepted{Events: []*pb.Event{ev}, Rejects: []*pb.Reject{{Id: "r"}}}), schemas.AcceptedType)
	fold := intake.Stage(cat, intake.Config{Wall: true}).New()
	f.Fuzz(func(t *testing.T, value []byte, contentType string) {
		raw := &kafkalog.Record{Value: value, Headers: []kafkalog.Header{{Key: "Content-Type", Value: []byte(contentType)}}}
		events, ends := folded(t, fold, raw)
		if elements, rest, fault := schemas.SplitBatch(value); fault == nil && ends != len(elements) && ends != 1 || ends == 0 && rest != nil {
			t.Fatalf("%d of the %d elements of %q ended somewhere", ends, len(elements), value)
		}
		if media, _, _ := mime.ParseMediaType(contentType); media == schemas.AcceptedType {
			return // passed on as it is
		}
		for _, ev := range events {
			if ev.ImpliedBy != "" {
				continue
			}
			for _, again := range []*kafkalog.Record{{Value: marshal(t, ev)}, {Value: schemas.EncodeJSON(ev)}} {
				back, _ := folded(t, fold, again)
				if len(back) == 0 || !proto.Equal(back[0], ev) {
					t.Fatalf("%v, accepted again as %q, becomes %v", ev, again.Value, back)
				}
			}
		}
	})
}

// folded folds one record and returns the events that came out and how many elements they, ticks and rejects stand for.
func folded(t *testing.T, fold stream.Fold, raw *kafkalog.Record) (events []*pb.Event, ends int) {
	out := stream.NewOut(func(topic, key string, rec *pb.Record) {
		if topic == "" {
			t.Fatalf("%v goes nowhere", rec)
		}
		marshal(t, rec)
		if ev := rec.GetEvent(); ev != nil {
			events = append(events, ev)
		}
		if rec.GetEvent().GetImpliedBy() == "" {
			ends++
		}
	}, func(int64) { ends++ })
	fold.Fold(stream.In{Now: 1772323200000, Raw: raw}, out)
	return events, ends
}
