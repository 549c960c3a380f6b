package border

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

const dayMS = 24 * hourMS

// box is a container of an installation, with what is told of it.
type box struct {
	*installation
	events int
}

func newBox(t *testing.T) *box { return &box{installation: newInstallation(t, testCatalog(t))} }

func (b *box) say(at int64, e *pb.Event) {
	b.events++
	e.Source, e.Id, e.Subject, e.UnitKind, e.Time = "s", fmt.Sprint(b.events), "BOX", pb.UnitKind_CONTAINER, at
	e.Hash = schemas.Hash(e)
	b.now = max(b.now, at)
	b.take(&pb.Record{Body: &pb.Record_Event{Event: e}}, "")
}

func (b *box) milestone(at int64, what string) {
	b.say(at, &pb.Event{Verb: pb.Verb_MILESTONE, Data: &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: what}}})
}

func (b *box) activity(at int64, place string) {
	b.say(at, &pb.Event{Place: place, Verb: pb.Verb_ACTIVITY, Data: &pb.Event_Activity{Activity: &pb.Activity{Kind: "customs", State: pb.Activity_STARTED}}})
}

// carried is a ride; departed 0: the run is still there.
func (b *box) carried(run, place string, arrived, departed int64, also func(*pb.Ride)) {
	v := &pb.Visit{Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, Place: place, N: 1, Stopped: true, State: pb.State_OPEN,
		Arrived: &pb.Moment{At: arrived, Basis: pb.Basis_REPORT}}
	if departed != 0 {
		v.State, v.Departed = pb.State_CLOSED, &pb.Moment{At: departed, Basis: pb.Basis_REPORT}
	}
	r := &pb.Ride{Unit: "BOX", UnitKind: pb.UnitKind_CONTAINER, Run: run, RunKind: pb.UnitKind_TRAIN, Visit: v}
	if also != nil {
		also(r)
	}
	b.now = max(b.now, arrived, departed)
	b.take(&pb.Record{Body: &pb.Record_Ride{Ride: r}}, "BOX|"+rideKey(r))
}

func (b *box) recompute() {
	for _, p := range b.pieces("BOX", 1) {
		b.f.Fold(stream.In{Now: b.now, Rec: &pb.Record{Body: &pb.Record_Recompute{Recompute: proto.CloneOf(p)}}}, b.out())
	}
	b.tick(b.now + 60_000)
}

func (b *box) lines(with string) (n int) {
	for key := range b.tb {
		if strings.Contains(key, with) {
			n++
		}
	}
	return n
}

// TestReportsOfYears: a container of which reports alone tell, more in years than are held of a month: none of them is overheard, its
// state is bounded, and a recompute of all that is stored changes nothing.
func TestReportsOfYears(t *testing.T) {
	b, largest := newBox(t), 0
	const stays = 2400
	for i := range stays {
		at, place := day.UnixMilli()+int64(i)*8*hourMS, []string{"middle", "market"}[i%2]
		b.say(at, &pb.Event{Place: place, Verb: pb.Verb_ARRIVED})
		b.say(at+hourMS, &pb.Event{Place: place, Verb: pb.Verb_DEPARTED})
		if i%4 == 0 {
			b.activity(at, "south") // where it never is
		}
		if i%100 == 99 {
			b.tick(b.now)
			largest = max(largest, len(b.f.units["BOX"].events))
		}
	}
	b.tick(b.now)
	if n := b.lines(" visit "); n != stays || largest > 3*mostStays {
		t.Fatalf("%d visits of %d, %d events held", n, stays, largest)
	}
	want := b.tb.String()
	b.recompute()
	if b.tb.String() != want {
		t.Errorf("a recompute changes what was told: %d visits", b.lines(" visit "))
	}
}

// TestOpenedWhileTheStayBeforeLasted: the journey is named after the gate-in, whether the one before is remembered or not.
func TestOpenedWhileTheStayBeforeLasted(t *testing.T) {
	b, start := newBox(t), day.UnixMilli()
	b.carried("T1", "middle", start, start+9*dayMS, nil) // by clocks that oppose it departs long after it came to the market
	b.carried("T2", "market", start+dayMS, start+2*dayMS, nil)
	b.milestone(start+5*dayMS, "gate_in")
	b.milestone(start+10*dayMS, "delivered")
	b.carried("T3", "middle", start+33*dayMS, start+34*dayMS, nil)
	b.tick(b.now)
	want := b.tb.String()
	b.tick(start + 42*dayMS)
	b.activity(b.now, "middle")
	b.tick(b.now)
	b.activity(b.now, "nowhere")
	b.tick(b.now)
	if n := len(b.f.units["BOX"].rides); n != 1 {
		t.Fatalf("%d rides are held", n)
	}
	if got := b.tb.String(); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}

// TestBeginsOtherwise: where a journey began is told otherwise a day later, and with it until when the last stay of the one before
// lasted at most. The order in which both come does not show.
func TestBeginsOtherwise(t *testing.T) {
	var told []string
	for _, first := range []bool{false, true} {
		b, start := newBox(t), day.UnixMilli()
		b.carried("T1", "middle", start, 0, nil)
		b.tick(b.now)
		later := start + 60*dayMS
		if first {
			b.carried("T2", "market", later, 0, nil)
			b.tick(b.now)
		}
		b.carried("T2", "market", later-5*hourMS, 0, nil)
		b.tick(later + dayMS)
		told = append(told, b.tb.String())
	}
	if told[0] != told[1] {
		t.Errorf("%s\nnot\n%s", told[1], told[0])
	}
}

// TestToldAgain: a train that has stood for two months departs, or its plan changes: what it tells of a container it had carried there
// is of a journey that was forgotten, and makes no other one. A recompute takes it.
func TestToldAgain(t *testing.T) {
	b, start := newBox(t), day.UnixMilli()
	off := func(r *pb.Ride) { r.OnTo, r.UnloadedHere = start+3*dayMS, true }
	b.carried("T0", "inner", start, start+dayMS, nil)
	b.carried("T1", "middle", start+2*dayMS, 0, off)
	b.milestone(start+4*dayMS, "delivered")
	b.tick(b.now)
	b.carried("T2", "market", start+20*dayMS, start+21*dayMS, nil)
	b.tick(b.now)
	b.carried("T2", "north", start+60*dayMS, start+61*dayMS, nil)
	b.tick(b.now + 7*dayMS)
	b.activity(b.now, "north")
	b.tick(b.now)
	if n := len(b.f.units["BOX"].rides); n != 1 {
		t.Fatalf("%d rides are held", n)
	}
	want := b.tb.String()
	b.crash(false)
	b.carried("T1", "middle", start+2*dayMS, start+70*dayMS, off)
	b.tick(b.now)
	if got := b.tb.String(); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	b.carried("T1", "middle", start+50*hourMS, start+70*dayMS, off)
	b.recompute()
	if b.lines(" visit ") != 4 || !strings.Contains(b.tb["BOX/20260301 visit middle 1"], "50:00") {
		t.Errorf("recomputed:\n%s", b.tb)
	}
}

// TestContradictedAllAlong: the train goes on without the container, as another's list says, in journey after journey. That does not
// keep them from being forgotten.
func TestContradictedAllAlong(t *testing.T) {
	b, largest := newBox(t), 0
	for i := range 40 {
		at := day.UnixMilli() + int64(i)*10*dayMS
		first, second := fmt.Sprint("A", i), fmt.Sprint("B", i)
		named := func(at int64) func(*pb.Ride) { return func(r *pb.Ride) { r.NamedAt, r.NamedLastAt = at, at } }
		b.carried(first, "inner", at, at+hourMS, named(at))
		b.carried(first, "middle", at+dayMS, at+2*dayMS, named(at))
		b.carried(second, "middle", at+2*dayMS, at+3*dayMS, named(at+2*dayMS))
		b.carried(first, "north", at+3*dayMS, at+4*dayMS, named(at))
		b.carried(second, "market", at+4*dayMS, at+5*dayMS, named(at+2*dayMS))
		b.tick(b.now)
		b.milestone(at+6*dayMS, "delivered")
		b.tick(b.now)
		largest = max(largest, len(b.f.units["BOX"].rides))
	}
	if n := b.lines(" visit "); n != 40*3 || largest > 6*5 {
		t.Errorf("%d visits, %d rides held", n, largest)
	}
}

// TestLoadingTakenBackBeforeTheRun: a loading and that it was taken back came too late both. The container's recompute knows of both;
// the run that is recomputed after it tells what follows from the loading alone.
func TestLoadingTakenBackBeforeTheRun(t *testing.T) {
	b, start := newBox(t), day.UnixMilli()
	b.now = start + 60*dayMS
	late := func(e *pb.Event) {
		e.Source, e.Subject, e.UnitKind, e.Time, e.Late = "s", "BOX", pb.UnitKind_CONTAINER, start, true
		b.take(&pb.Record{Body: &pb.Record_Event{Event: e}}, "")
	}
	late(&pb.Event{Id: "load", Verb: pb.Verb_LOADED})
	late(&pb.Event{Id: "back", Verb: pb.Verb_RETRACTED, Data: &pb.Event_Retraction{Retraction: &pb.Retraction{Id: "load"}}})
	b.recompute()
	b.carried("T1", "middle", start, start+hourMS, func(r *pb.Ride) { r.OnBy = "s#load" })
	b.tick(b.now + hourMS)
	if n := b.lines(" visit "); n != 0 {
		t.Errorf("it was on board all the same:\n%s", b.tb)
	}
}

// TestTakenOffWhereOnlyTheDepartureIsTold: the container was there at the latest when it was taken off.
func TestTakenOffWhereOnlyTheDepartureIsTold(t *testing.T) {
	b, at := newBox(t), day.UnixMilli()
	b.carried("T1", "middle", 0, at, func(r *pb.Ride) { r.Visit.Arrived, r.OnTo, r.UnloadedHere = nil, at, true })
	b.tick(b.now + hourMS)
	if keys := sortedKeys(b.tb); !slices.Equal(keys, []string{"BOX/20260301 visit middle 1"}) {
		t.Errorf("%v", keys)
	}
}

// TestFormatBefore: a state of the format before is read.
func TestFormatBefore(t *testing.T) {
	b := newBox(t)
	b.carried("T1", "middle", day.UnixMilli(), 0, nil)
	u := b.f.units["BOX"]
	u.dirty, u.ended = false, 0
	now := u.append(nil)
	u.ended = 1 << 40
	other := u.append(nil)
	at := 0
	for now[at] == other[at] {
		at++
	}
	before := slices.Delete(slices.Clone(now), at, at+1)
	before[0] = formatBefore
	got, err := restored(before)
	if err != nil {
		t.Fatal(err)
	}
	got.wake()
	if !slices.Equal(got.append(nil), now) {
		t.Errorf("%x\nnot\n%x", got.append(nil), now)
	}
}

// TestDeliveredWhereItStands: delivered ends the stay it has where its train left it, and the journey with it.
func TestDeliveredWhereItStands(t *testing.T) {
	b, start := newBox(t), day.UnixMilli()
	b.carried("T1", "middle", start, 0, func(r *pb.Ride) { r.OnTo, r.UnloadedHere = start+hourMS, true })
	b.milestone(start+5*hourMS, "delivered")
	b.carried("T2", "market", start+10*dayMS, 0, nil)
	b.tick(b.now)
	if keys := sortedKeys(b.tb); !slices.Equal(keys, []string{"BOX/20260301 visit middle 1", "BOX/20260311 visit market 1"}) {
		t.Errorf("%v", keys)
	}
}
