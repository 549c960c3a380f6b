package border

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// TestAreaEvents: the delay stage is told of crossings, of stops at borders and of how trains are held before them, and of each that
// it no longer holds.
func TestAreaEvents(t *testing.T) {
	cat := testCatalog(t)
	lines, _ := parse(t, "testdata/plain.txt")
	f := newFold(cat)
	told := map[string]string{}
	var unknown []string
	out := stream.NewOut(func(topic, area string, rec *pb.Record) {
		if topic != schemas.AreaEvents {
			return
		}
		key := area + " "
		text := ""
		switch b := rec.Body.(type) {
		case *pb.Record_Crossing:
			key += "crossing " + b.Crossing.Border
			text = b.Crossing.State.String()
		case *pb.Record_Visit:
			key += "visit " + b.Visit.Place
			text = clock(b.Visit.Arrived.GetAt())
		case *pb.Record_RunFacts:
			key += "holds " + b.RunFacts.Unit
			for _, h := range b.RunFacts.Holds {
				text += fmt.Sprintf("%s %s %s-%s %s;", h.Border, h.Direction, clock(h.From), clock(h.To), h.Cause)
			}
		}
		if rec.Deleted {
			if _, ok := told[key]; !ok {
				unknown = append(unknown, key)
			}
			delete(told, key)
		} else {
			told[key] = text
		}
	}, nil)
	for _, l := range lines {
		if l.rec != nil {
			f.Fold(stream.In{Rec: l.rec}, out)
		}
	}
	facts := &pb.RunFacts{Unit: "T1", UnitKind: pb.UnitKind_TRAIN, Run: "T1", Held: []*pb.Span{
		{Kind: "held", Cause: "no path", From: at24(t, "02:30"), To: at24(t, "03:30"), BoundFor: "gate-pass"}}}
	f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_RunFacts{RunFacts: facts}}}, out)
	f.Advance(at24(t, "22:00"), out)
	show := func() string {
		var all []string
		for k, v := range told {
			all = append(all, k+": "+v)
		}
		slices.Sort(all)
		return strings.Join(all, "\n")
	}
	want := "gate-pass crossing gate-pass: CLOSED\ngate-pass holds T1: gate-pass CN-KZ 02:30-03:30 no path;\ngate-pass visit gate: 04:00\ngate-pass visit pass: 07:30"
	if got := show(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, l := range lines { // dwell takes it all back
		if l.rec != nil && l.rec.GetRide() != nil {
			f.Fold(stream.In{Rec: &pb.Record{Deleted: true, Body: &pb.Record_Ride{Ride: l.rec.GetRide()}}}, out)
		}
	}
	f.Fold(stream.In{Rec: &pb.Record{Deleted: true, Body: &pb.Record_RunFacts{RunFacts: facts}}}, out)
	f.Advance(at24(t, "23:00"), out)
	if got := show(); got != "" || len(unknown) > 0 {
		t.Errorf("left behind: %s; taken back though never told: %v", got, unknown)
	}
}
