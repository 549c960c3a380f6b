package ingest

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

// A producer that was stopped while it sent has brought one partition further than the other: it goes on where the other is.
func TestSentUntil(t *testing.T) {
	w := NewWriter(newLog(t), prefix, partitions)
	if until, err := SentUntil(t.Context(), w); until != 0 || err != nil {
		t.Errorf("nothing was sent: %d, %v", until, err)
	}
	first := day.UnixMilli()
	w.Tick(first)
	ahead, err := proto.Marshal(&pb.Event{Source: TickSource, Id: "ahead", Verb: pb.Verb_TICK, Time: first + minute})
	if err != nil {
		t.Fatal(err)
	}
	w.out.Append(w.topic, 0, nil, ahead)
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if until, err := SentUntil(t.Context(), w); until != first || err != nil {
		t.Errorf("every partition holds %d, %v", until, err)
	}
	if last, err := LastTick(t.Context(), w); last != first+minute || err != nil {
		t.Errorf("the latest of all is %d, %v", last, err)
	}
	// What is deleted between the look at the offsets and the reading holds nobody up.
	if err := w.log.DeleteRecords(t.Context(), w.topic, 0, 1); err != nil {
		t.Fatal(err)
	}
	if last, err := lastTick(t.Context(), w.log.Reader(w.topic, 0, 0), 2); last != first+minute || err != nil {
		t.Errorf("the latest that is kept is %d, %v", last, err)
	}
}
