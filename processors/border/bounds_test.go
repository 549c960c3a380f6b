package border

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// years is the life of a container over some years: journeys with pauses of days or months, by train after train over the line, some of
// them with milestones and reports of its own, activities, a list that was taken back, and a tracker that reports each six hours.
// What is told comes up to two days late, in any order.
func years(seed uint64, journeys int) (lines []line) {
	rnd := rand.New(rand.NewPCG(seed, 7))
	way := []string{"inner", "gate", "pass", "middle", "market", "north", "south", "end"}
	now := day.UnixMilli()
	hours := func(least, most int) int64 { return int64(least+rnd.IntN(most-least)) * hourMS }
	say := func(e *pb.Event) {
		e.Source, e.Id, e.Subject, e.UnitKind = "s", fmt.Sprint(len(lines)), "BOX", pb.UnitKind_CONTAINER
		e.Hash = schemas.Hash(e)
		lines = append(lines, line{tick: e.Time + hours(0, 48), rec: &pb.Record{Body: &pb.Record_Event{Event: e}}})
	}
	for j := range journeys {
		run := fmt.Sprint("T", j)
		milestones := rnd.IntN(2) == 0
		if milestones {
			say(&pb.Event{Time: now - hourMS, Place: way[0], Verb: pb.Verb_MILESTONE, Data: &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: "gate_in"}}})
		}
		for _, place := range way {
			for range 4 {
				say(&pb.Event{Time: now + hours(0, 24), Verb: pb.Verb_POSITION, Data: &pb.Event_Position{Position: &pb.Position{LatE7: 1}}})
			}
			arrived, departed := now+hours(2, 20), now+hours(20, 40)
			v := &pb.Visit{Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, Place: place, N: 1, Stopped: true, State: pb.State_OPEN,
				Arrived: &pb.Moment{At: arrived, Basis: pb.Basis_REPORT}}
			by := fmt.Sprint("list", j)
			ride := func(v *pb.Visit, at int64) {
				lines = append(lines, line{tick: at, rec: &pb.Record{KnownAt: at, Body: &pb.Record_Ride{Ride: &pb.Ride{
					Unit: "BOX", UnitKind: pb.UnitKind_CONTAINER, Run: run, RunKind: pb.UnitKind_TRAIN, Visit: v, OnBy: "s#" + by, NamedAt: now, NamedLastAt: now}}}})
			}
			ride(v, arrived+hours(0, 10))
			closed := &pb.Visit{Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, Place: place, N: 1, Stopped: true, State: pb.State_CLOSED,
				Arrived: v.Arrived, Departed: &pb.Moment{At: departed, Basis: pb.Basis_REPORT}}
			ride(closed, max(departed, arrived+10*hourMS)+hours(0, 48))
			if rnd.IntN(3) == 0 {
				for _, state := range []pb.Activity_State{pb.Activity_STARTED, pb.Activity_FINISHED} {
					at := arrived + int64(state)*hourMS
					say(&pb.Event{Time: at, Place: place, Verb: pb.Verb_ACTIVITY, Data: &pb.Event_Activity{Activity: &pb.Activity{Kind: "customs", State: state}}})
				}
			}
			now = departed
		}
		if rnd.IntN(8) == 0 { // a list of a train it was never on
			lines = append(lines, line{tick: now, rec: &pb.Record{Body: &pb.Record_Event{Event: &pb.Event{Source: "s", Id: fmt.Sprint("r", j), Subject: "BOX",
				UnitKind: pb.UnitKind_CONTAINER, Time: now, Verb: pb.Verb_RETRACTED, Data: &pb.Event_Retraction{Retraction: &pb.Retraction{Id: fmt.Sprint("other", j)}}}}}})
		}
		switch {
		case milestones:
			now += hours(2, 48)
			say(&pb.Event{Time: now, Place: way[len(way)-1], Verb: pb.Verb_MILESTONE, Data: &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: "delivered"}}})
			now += hours(30, 24*80)
		default:
			now += hours(24*31, 24*80)
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return int(a.tick - b.tick) })
	return lines
}

// TestYears: what is told of a container over years is the same whether journeys that ended are forgotten or not, and whether a process
// is started anew in between; its state does not grow.
func TestYears(t *testing.T) {
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1 // the race detector makes it ten times slower
	}
	for seed := range seeds {
		lines := years(seed, 16)
		var told [2]string
		for i, keep := range []int64{0, math.MaxInt64 / 2} {
			f, tb, largest := newFold(testCatalog(t)), table{}, 0
			rnd := rand.New(rand.NewPCG(seed, 8))
			for k := 0; k < len(lines); {
				now := lines[k].tick / hourMS * hourMS
				for ; k < len(lines) && lines[k].tick < now+hourMS; k++ {
					f.Fold(stream.In{Now: now, Rec: lines[k].rec}, tb.out())
					if u := f.units["BOX"]; u != nil {
						u.keep = keep
					}
				}
				f.Advance(now, tb.out())
				if k > len(lines)/2 && rnd.IntN(20) == 0 {
					state, err := f.Snapshot()
					if err != nil {
						t.Fatal(err)
					}
					largest = max(largest, len(state))
					f = newFold(testCatalog(t))
					if err := f.Restore(state); err != nil {
						t.Fatal(err)
					}
				}
			}
			if told[i] = tb.String(); keep == 0 && largest > 24<<10 {
				t.Errorf("seed %d: the state takes %d bytes", seed, largest)
			}
		}
		if told[0] != told[1] {
			t.Fatalf("seed %d: forgotten:\n%s\nheld:\n%s", seed, told[0], told[1])
		}
		if n := strings.Count(told[0], " visit "); n != 16*8 {
			t.Fatalf("seed %d: %d visits of 16 journeys over eight places", seed, n)
		}
	}
}

// TestRoundTrips: a wagon that goes up and down for three years without a pause has journeys of a thousand stays; its state is bounded,
// and no row that was told is taken back.
func TestRoundTrips(t *testing.T) {
	if testing.Short() {
		t.Skip("a thousand stays are computed two hundred times")
	}
	f, largest, visits := newFold(testCatalog(t)), 0, 0
	journeys := map[string]bool{}
	out := stream.NewOut(func(topic, key string, rec *pb.Record) {
		if v := rec.GetVisit(); v != nil && topic == schemas.Visits {
			if visits++; rec.Deleted {
				t.Fatalf("taken back: %v", rec)
			}
			journeys[v.Journey] = true
		}
	}, nil)
	now := day.UnixMilli()
	const trips = 2*mostStays + mostStays/10
	for i := range trips {
		place, at := []string{"middle", "market"}[i%2], now
		v := &pb.Visit{Unit: "T", UnitKind: pb.UnitKind_TRAIN, Journey: "T", Place: place, N: uint32(i/2 + 1), Stopped: true, State: pb.State_CLOSED,
			Arrived: &pb.Moment{At: at, Basis: pb.Basis_REPORT}, Departed: &pb.Moment{At: at + hourMS, Basis: pb.Basis_REPORT}}
		f.Fold(stream.In{Now: now, Rec: &pb.Record{Body: &pb.Record_Ride{Ride: &pb.Ride{
			Unit: "61234567", UnitKind: pb.UnitKind_WAGON, Run: "T", RunKind: pb.UnitKind_TRAIN, Visit: v}}}}, out)
		if now += 12 * hourMS; i%10 == 9 {
			f.Advance(now, out)
		}
		if i%100 == 99 {
			state, err := f.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			largest = max(largest, len(state))
		}
	}
	if visits < trips || len(journeys) != 3 || largest > 256<<10 {
		t.Errorf("%d visits of %d, %d journeys, %d bytes of state", visits, trips, len(journeys), largest)
	}
	t.Logf("%d bytes of state at most", largest)
}

// TestTooManyReports: of more reports than a unit can have the earliest are held, in any order.
func TestTooManyReports(t *testing.T) {
	var events []*pb.Event
	for i := range mostEvents + 50 {
		e := &pb.Event{Source: "s", Id: fmt.Sprint(i), Subject: "BOX", UnitKind: pb.UnitKind_CONTAINER, Time: day.UnixMilli()/journeyGap*journeyGap + int64(i/2)*1000, Place: "gate", Verb: pb.Verb_ARRIVED}
		e.Hash = schemas.Hash(e)
		events = append(events, e)
	}
	var want []string
	for seed := range uint64(5) {
		rand.New(rand.NewPCG(seed, 9)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		u := newUnit("BOX", pb.UnitKind_CONTAINER)
		for i, e := range events {
			if u.event(e); i%700 == 0 {
				u.leaveOut()
			}
		}
		u.leaveOut()
		if len(u.events) != mostEvents {
			t.Fatalf("%d events are held", len(u.events))
		}
		if got := sortedKeys(u.events); want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Fatal("another order holds other events")
		}
	}
}
