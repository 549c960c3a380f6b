package dwell

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

func report(id string, verb pb.Verb, second int64) *pb.Event {
	e := &pb.Event{Source: "s", Id: id, Subject: "T1", UnitKind: pb.UnitKind_TRAIN, Time: day.UnixMilli() + second*1000, Place: "a", Verb: verb}
	e.AcceptedAt, e.Hash = e.Time, schemas.Hash(e)
	return e
}

// TestTooManyReports: of more reports than a run can have the earliest are held, and of its plans the last, in any order; the status says so.
func TestTooManyReports(t *testing.T) {
	var events []*pb.Event
	for i := range mostReports + 50 {
		events = append(events, report(fmt.Sprint(i), pb.Verb_ARRIVED, int64(i/2)))
	}
	for i := range 3 * mostPlans {
		plan := report(fmt.Sprint("p", i), pb.Verb_PLANNED, int64(mostReports-100*i)) // after all reports, between and before them
		plan.Data = &pb.Event_Plan{Plan: &pb.Plan{Destination: fmt.Sprint(i)}}
		events = append(events, plan)
	}
	var want *run
	for seed := range uint64(5) {
		rand.New(rand.NewPCG(seed, 9)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		r := newRun("T1", pb.UnitKind_TRAIN)
		for _, e := range append(events, events[:500]...) {
			r.add(e)
		}
		if want == nil {
			want = r
		}
		if most := mostReports + mostPlans; len(r.reports) != most || len(r.times) != most || !r.status().Overfull {
			t.Fatalf("%d reports are held, %d times, overfull %v", len(r.reports), len(r.times), r.status().Overfull)
		}
		if r.plan().Destination != "0" || !reflect.DeepEqual(r.times, want.times) {
			t.Fatalf("another order holds others; the last plan goes to %s", r.plan().Destination)
		}
	}
}

// TestTakenBackLongAgo: what was taken back before it came is remembered for six days; then it would be late.
func TestTakenBackLongAgo(t *testing.T) {
	f := newFold(testCatalog(t))
	out := stream.NewOut(func(string, string, *pb.Record) {}, nil)
	fold := func(e *pb.Event) { f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: e}}}, out) }
	largest := 0
	for i := range int64(20_000) { // one each ten minutes for 139 days
		e := report(fmt.Sprint("r", i), pb.Verb_RETRACTED, i*600)
		e.Data = &pb.Event_Retraction{Retraction: &pb.Retraction{Id: fmt.Sprint("never ", i)}}
		fold(e)
		if i%100 == 99 {
			fold(report(fmt.Sprint("alive ", i%1000), pb.Verb_ARRIVED, i*600))
			f.Advance(e.Time, out)
			state, err := f.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			largest = max(largest, len(state))
		}
	}
	if n := len(f.runs["T1"].retracted); n < 6*144 || n > 7*144 || largest > 64<<10 {
		t.Errorf("%d are remembered, %d bytes", n, largest)
	}
}

// TestPlanTakenBack: a plan whose time is days ahead was taken back. Sent again before that time it is as little late as it was then, and
// counts as little.
func TestPlanTakenBack(t *testing.T) {
	for _, first := range []bool{false, true} {
		f := newFold(testCatalog(t))
		out := stream.NewOut(func(string, string, *pb.Record) {}, nil)
		fold := func(e *pb.Event) { f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: e}}}, out) }
		plan := report("p", pb.Verb_PLANNED, 10*24*3600)
		plan.Data = &pb.Event_Plan{Plan: &pb.Plan{Destination: "b"}}
		back := report("r", pb.Verb_RETRACTED, 60)
		back.Data = &pb.Event_Retraction{Retraction: &pb.Retraction{Id: "p"}}
		if first {
			fold(back)
			fold(plan)
		} else {
			fold(plan)
			fold(back)
		}
		for i := range int64(9) {
			fold(report(fmt.Sprint(i), pb.Verb_ARRIVED, i*24*3600))
			f.Advance(day.UnixMilli()+i*24*hourMS, out)
		}
		fold(plan)
		if got := f.runs["T1"].plan().GetDestination(); got != "" {
			t.Errorf("taken back first %v: it goes to %q", first, got)
		}
	}
}

// TestFormatBefore: a state of the format before is read.
func TestFormatBefore(t *testing.T) {
	r := newRun("T1", pb.UnitKind_TRAIN)
	back := report("r", pb.Verb_RETRACTED, 60)
	back.Data = &pb.Event_Retraction{Retraction: &pb.Retraction{Id: "1"}}
	r.add(back)
	r.add(report("2", pb.Verb_ARRIVED, 30))
	now, err := r.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	key := binary.LittleEndian.AppendUint64(nil, eventKey("s", "1"))
	at := binary.AppendVarint(nil, back.Time)
	before := bytes.Replace(now, append(bytes.Clone(key), at...), key, 1)
	if len(before) == len(now) {
		t.Fatal("no time in it")
	}
	before[0] = formatBefore
	got, err := decode(before)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := got.append(nil); err != nil || !bytes.Equal(again, now) {
		t.Errorf("%x\nnot\n%x, %v", again, now, err)
	}
}
