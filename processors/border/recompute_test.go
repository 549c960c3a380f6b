package border

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// installation is a fold, what it was sent, and what the tables hold of it.
type installation struct {
	t       testing.TB
	cat     *network.Catalog
	f, base *fold // base: as it was restored last, with the pieces applied since
	now     int64
	id      uint64
	tb      table
	events  map[string][]*pb.Event
	dwell   map[string]*pb.Record // what dwell holds to be so: rides and facts by key
	told    map[string]*pb.Record
	kinds   map[string]pb.UnitKind
}

func newInstallation(t testing.TB, cat *network.Catalog) *installation {
	return &installation{t: t, cat: cat, f: newFold(cat), base: newFold(cat), tb: table{},
		events: map[string][]*pb.Event{}, dwell: map[string]*pb.Record{}, told: map[string]*pb.Record{}, kinds: map[string]pb.UnitKind{}}
}

func (in *installation) out() *stream.Out {
	shown := in.tb.out()
	return stream.NewOut(func(topic, key string, rec *pb.Record) {
		id, _, row := rowOf(rec)
		switch {
		case row == "": // an answer, or an event that is late no longer
			if e := rec.GetEvent(); e != nil && e.Late {
				in.t.Error("a recomputed event is still late")
			}
			return
		case rec.Deleted:
			delete(in.told, id+row)
		default:
			in.told[id+row] = proto.CloneOf(rec)
		}
		shown.Emit(topic, key, rec)
	}, nil)
}

func (in *installation) take(rec *pb.Record, key string) {
	rec = proto.CloneOf(rec)
	rec.KnownAt = in.now
	switch b := rec.Body.(type) {
	case *pb.Record_Ride:
		in.kinds[b.Ride.Unit] = b.Ride.UnitKind
		if in.dwell["ride"+key] = rec; rec.Deleted {
			delete(in.dwell, "ride"+key)
		}
	case *pb.Record_RunFacts:
		in.kinds[b.RunFacts.Unit] = b.RunFacts.UnitKind
		in.dwell["facts"+key] = rec
	case *pb.Record_Event:
		in.kinds[b.Event.Subject] = b.Event.UnitKind
		in.events[b.Event.Subject] = append(in.events[b.Event.Subject], proto.CloneOf(b.Event))
	}
	in.f.Fold(stream.In{Now: in.now, Rec: proto.CloneOf(rec)}, in.out())
}

func (in *installation) tick(now int64) {
	in.now = max(in.now, now)
	in.f.Advance(in.now, in.out())
}

// pieces are what 'recompute' would send of a unit now, in n pieces.
func (in *installation) pieces(unit string, n int) []*pb.Recompute {
	in.id++
	all := make([]*pb.Recompute, n)
	for i := range all {
		all[i] = &pb.Recompute{Id: in.id, Stage: pb.Stage_BORDER, Subject: unit, UnitKind: in.kinds[unit], Piece: uint32(i), Pieces: uint32(n), ReadAt: in.now}
	}
	for i, ev := range in.events[unit] {
		all[i%n].Events = append(all[i%n].Events, proto.CloneOf(ev))
	}
	for i, key := range sortedKeys(in.told) {
		if id, _, _ := rowOf(in.told[key]); id == unit {
			all[i%n].Told = append(all[i%n].Told, in.told[key])
		}
	}
	vehicle := in.kinds[unit] == pb.UnitKind_TRAIN
	for i, key := range sortedKeys(in.dwell) {
		if ride := in.dwell[key].GetRide(); ride != nil && ride.Unit == unit && !vehicle {
			all[i%n].Told = append(all[i%n].Told, in.dwell[key])
		}
	}
	return all
}

// crash goes on from a snapshot, or from an older one and the pieces that changed since.
func (in *installation) crash(byPieces bool) {
	from := in.f
	if byPieces {
		changed, err := in.f.Changed()
		if err == nil {
			err = in.base.Apply(changed)
		}
		if err != nil {
			in.t.Fatal(err)
		}
		from = in.base
	}
	state, err := from.Snapshot()
	if err != nil {
		in.t.Fatal(err)
	}
	in.f, in.base = newFold(in.cat), newFold(in.cat)
	for _, f := range []*fold{in.f, in.base} {
		if err := f.Restore(state); err != nil {
			in.t.Fatal(err)
		}
	}
	if again, _ := in.f.Snapshot(); string(again) != string(state) {
		in.t.Fatal("the snapshot of what was restored differs")
	}
}

// TestRecomputeAnyhow plays every scenario with some reports of containers late, and some that dwell tells only after the recompute was
// read: the recompute's pieces come in any order and repeatedly, records and crashes come in between, and the units are held still or
// long forgotten.
func TestRecomputeAnyhow(t *testing.T) {
	cat := testCatalog(t)
	paths, _ := filepath.Glob("testdata/*.txt")
	if len(paths) == 0 {
		t.Fatal("no scenarios")
	}
	for _, path := range paths {
		lines, _ := parse(t, path)
		for seed := range uint64(40) {
			rnd := rand.New(rand.NewPCG(seed, 11))
			if got, want := recomputed(t, cat, lines, rnd); got != want {
				t.Fatalf("%s, seed %d: recomputed\n%s\nhad all come in time\n%s", path, seed, got, want)
			}
		}
	}
}

func recomputed(t *testing.T, cat *network.Catalog, lines []line, rnd *rand.Rand) (got, want string) {
	in, whole := newInstallation(t, cat), newInstallation(t, cat)
	last := int64(0)
	for _, l := range lines {
		if last = max(last, l.tick); l.rec != nil {
			whole.take(l.rec, l.key)
		}
	}
	forgotten := rnd.IntN(2) == 0
	read := last + 10*hourMS
	if forgotten {
		read = last + 60*24*hourMS
	}
	var late, fresh []line
	after := map[string]bool{} // keys of which dwell tells more after the reading
	for _, l := range lines {
		switch {
		case l.rec == nil:
		case l.rec.GetEvent() != nil && rnd.IntN(3) == 0:
			late = append(late, l)
		case !forgotten && (after[l.key] || rnd.IntN(5) == 0):
			after[l.key] = true
			fresh = append(fresh, l)
		default:
			in.take(l.rec, l.key)
			if rnd.IntN(3) == 0 {
				in.tick(last)
			}
		}
	}
	in.tick(last)
	in.tick(read)
	for _, l := range late {
		rec := proto.CloneOf(l.rec)
		rec.GetEvent().Late = true
		in.take(rec, l.key)
	}
	units := slices.DeleteFunc(sortedKeys(in.kinds), func(u string) bool { return in.kinds[u] == pb.UnitKind_TRAIN })
	trains := slices.DeleteFunc(sortedKeys(in.kinds), func(u string) bool { return in.kinds[u] != pb.UnitKind_TRAIN })
	var pieces []*pb.Recompute
	for _, u := range append(units, trains...) {
		pieces = append(pieces, in.pieces(u, 1+rnd.IntN(3))...)
	}
	pieces = append(pieces, pieces[:rnd.IntN(len(pieces)+1)]...)
	rnd.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	for _, p := range pieces {
		in.f.Fold(stream.In{Now: in.now, Rec: &pb.Record{Body: &pb.Record_Recompute{Recompute: proto.CloneOf(p)}}}, in.out())
		switch rnd.IntN(4) {
		case 0:
			in.tick(in.now + int64(rnd.IntN(120))*60_000)
		case 1:
			in.crash(rnd.IntN(2) == 0)
		case 2:
			if len(fresh) > 0 {
				in.take(fresh[0].rec, fresh[0].key)
				fresh = fresh[1:]
			}
		}
	}
	for _, l := range fresh {
		in.take(l.rec, l.key)
	}
	// Dwell tells all of the vehicles anew when it has recomputed them, the facts last.
	for _, key := range sortedKeys(in.dwell) {
		if ride := in.dwell[key].GetRide(); ride != nil && ride.UnitKind == pb.UnitKind_TRAIN {
			in.take(in.dwell[key], key[len("ride"):])
		}
	}
	for _, u := range trains {
		facts := &pb.Record{Body: &pb.Record_RunFacts{RunFacts: &pb.RunFacts{Unit: u, UnitKind: pb.UnitKind_TRAIN, Run: u}}}
		for _, key := range sortedKeys(in.dwell) {
			if f := in.dwell[key].GetRunFacts(); f.GetUnit() == u {
				facts = in.dwell[key]
			}
		}
		in.take(facts, "again"+u)
	}
	in.tick(in.now + 60_000)
	whole.tick(in.now)
	return in.tb.String(), whole.tb.String()
}

func ride(n uint32, arrived int64) *pb.Record {
	return &pb.Record{Body: &pb.Record_Ride{Ride: &pb.Ride{Unit: "BOX", UnitKind: pb.UnitKind_CONTAINER, Run: "T1", RunKind: pb.UnitKind_TRAIN,
		Visit: &pb.Visit{Unit: "T1", UnitKind: pb.UnitKind_TRAIN, Journey: "T1", Place: "gate-a", N: n, Stopped: true, State: pb.State_OPEN,
			Arrived: &pb.Moment{At: arrived, Basis: pb.Basis_REPORT}}}}}
}

// TestToldSinceTheReading: what dwell has told since the tables were read is newer than what they held: a ride that was taken back does
// not come again, one that was changed stays so.
func TestToldSinceTheReading(t *testing.T) {
	in := newInstallation(t, testCatalog(t))
	start := day.UnixMilli()
	in.now = start
	in.take(ride(1, start), "1")
	in.take(ride(2, start+5*hourMS), "2")
	in.tick(start + 6*hourMS)
	pieces := in.pieces("BOX", 1)
	in.now += hourMS
	gone := ride(2, 0)
	gone.Deleted = true
	in.take(gone, "2")
	in.take(ride(1, start+hourMS), "1")
	in.tick(in.now + hourMS)
	want := in.tb.String()
	in.f.Fold(stream.In{Now: in.now, Rec: &pb.Record{Body: &pb.Record_Recompute{Recompute: pieces[0]}}}, in.out())
	in.tick(in.now + hourMS)
	if got := in.tb.String(); got != want {
		t.Errorf("before\n%s\nafter\n%s", want, got)
	}
}

// TestTakenBackFromForgotten: the ride of a container that is forgotten is taken back after the reading.
func TestTakenBackFromForgotten(t *testing.T) {
	in := newInstallation(t, testCatalog(t))
	in.now = day.UnixMilli()
	in.take(ride(1, in.now), "1")
	in.tick(in.now + hourMS)
	in.tick(in.now + 60*24*hourMS)
	if len(in.f.units) != 0 {
		t.Fatal("the container was not forgotten")
	}
	pieces := in.pieces("BOX", 1)
	gone := ride(1, 0)
	gone.Deleted = true
	in.now += hourMS
	in.take(gone, "1")
	in.tick(in.now + 2*hourMS) // forgets what holds nothing
	in.f.Fold(stream.In{Now: in.now, Rec: &pb.Record{Body: &pb.Record_Recompute{Recompute: pieces[0]}}}, in.out())
	in.tick(in.now + hourMS)
	if got := in.tb.String(); got != "\n" {
		t.Errorf("the ride came again:\n%s", got)
	}
	in.tick(in.now + 142*hourMS)
	if len(in.f.units) != 1 {
		t.Error("the unit that was recomputed is forgotten before runs that carried it can follow")
	}
	in.tick(in.now + 3*hourMS)
	if len(in.f.units) != 0 {
		t.Error("it is never forgotten")
	}
}
