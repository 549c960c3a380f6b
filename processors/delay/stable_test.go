package delay

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/processors/stream/foldtest"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// busy is a world in which much happens in few days: some rows rest on usual times, and alerts come and go.
func busy(cat *network.Catalog) (*world, int64) {
	w := newWorld(cat, 5)
	until := day0 + 9*dayMS
	in := []incident{
		{kind: "stop", border: "dostyk", direction: "CN-KZ", role: network.Inbound, from: day0 + 5*dayMS, until: day0 + 6*dayMS, declared: "snow"},
		{kind: "overdue", border: "dostyk", direction: "CN-KZ", role: network.Outbound, from: day0 + 7*dayMS, factor: 6},
		{kind: "silent", border: "khorgos", direction: "KZ-CN", role: network.Outbound, from: day0 + 7*dayMS},
	}
	w.run(traffic{border: "dostyk", direction: "CN-KZ", every: 2 * hourMS, outbound: 4 * hourMS, inbound: 6 * hourMS, spread: 0.3, from: day0, to: until, boxes: 2}, in)
	w.run(traffic{border: "khorgos", direction: "KZ-CN", every: 3 * hourMS, outbound: 3 * hourMS, inbound: 5 * hourMS, spread: 0.3, from: day0, to: until}, in)
	w.plan("dostyk", "CN-KZ", day0, until, 12)
	at := func(ms int64) *pb.Moment { return &pb.Moment{At: ms, Basis: pb.Basis_REPORT} }
	for i := range int64(60) {
		v := &pb.Visit{Unit: "KTZ:V" + string(rune('A'+i%26)), UnitKind: pb.UnitKind_TRAIN, Journey: "V" + string(rune('A'+i)), Place: "kz-almaty1", N: 1, Stopped: true,
			Arrived: at(day0 + i*3*hourMS), State: pb.State_OPEN}
		w.add(v.Arrived.At, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Visit{Visit: v}})
		left := proto.CloneOf(v)
		left.Departed, left.State = at(v.Arrived.At+3*hourMS+i%7*hourMS/4), pb.State_CLOSED
		w.add(left.Departed.At, &pb.Record{Stage: pb.Stage_BORDER, Deleted: i%9 == 8, Body: &pb.Record_Visit{Visit: left}})
	}
	w.add(day0+5*dayMS, &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_RunFacts{RunFacts: &pb.RunFacts{Unit: "KTZ:H1", UnitKind: pb.UnitKind_TRAIN, Run: "KTZ:H1",
		Holds: []*pb.Hold{{Border: "dostyk", Direction: "CN-KZ", From: day0 + 5*dayMS, Cause: "no path"}}}}})
	return w, until
}

// TestFoldedTwice folds a busy world here and, with restarts, in another process.
func TestFoldedTwice(t *testing.T) {
	cat := testCatalog(t)
	foldtest.Twice(t, func(every int) []string {
		w, until := busy(cat)
		f := foldtest.New(Stage(cat), every*37)
		w.play(f, &tables{}, 30*minuteMS, until)
		return []string{f.Digest()}
	})
}

// TestInterleavings: however the upstream tasks get ahead of one another, and however many rounds close at once, the same alerts are
// told at the same times, and the same rows stand in the end.
func TestInterleavings(t *testing.T) {
	cat := testCatalog(t)
	w, until := busy(cat)
	want := &tables{}
	w.play(newFold(cat, Defaults()), want, 5*minuteMS, until)
	if len(want.history) < 4 {
		t.Fatalf("only %d alerts: %s", len(want.history), showHistory(want.history))
	}
	seeds := uint64(6)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 1))
		got := &tables{}
		interleave(w, newFold(cat, Defaults()), got, rng, until)
		if a, b := showHistory(want.history), showHistory(got.history); a != b {
			t.Fatalf("seed %d: alerts differ\n%s\nwant\n%s", seed, b, a)
		}
		for key, rec := range want.rows {
			if g := got.rows[key]; g == nil || !proto.Equal(plain(g), plain(rec)) {
				t.Fatalf("seed %d: %v\nwant %v", seed, g, rec.Body)
			}
		}
		if len(got.rows) != len(want.rows) {
			t.Errorf("seed %d: %d rows, want %d", seed, len(got.rows), len(want.rows))
		}
	}
}

// interleave folds the records of a world as if each task wrote when it liked: each is ahead of the slowest by up to a day, and stage
// time is that of the slowest.
func interleave(w *world, f *fold, tb *tables, rng *rand.Rand, until int64) {
	const step = 5 * minuteMS
	type sender struct {
		recs []told
		mark int64
	}
	senders := map[string]*sender{}
	for _, r := range w.recs {
		key := r.rec.Stage.String() + string(rune('0'+r.rec.Task))
		if senders[key] == nil {
			senders[key] = &sender{}
		}
		senders[key].recs = append(senders[key].recs, r)
	}
	keys := sortedKeys(senders)
	start := w.recs[0].at - w.recs[0].at%step
	out, now := tb.out(), int64(0)
	for _, key := range keys {
		senders[key].mark = 0
	}
	for {
		s := senders[keys[rng.IntN(len(keys))]]
		slowest := slices.MinFunc(keys, func(a, b string) int { return cmp.Compare(senders[a].mark, senders[b].mark) })
		if senders[slowest].mark >= until {
			f.Advance(until, out)
			return
		}
		if s.mark > senders[slowest].mark+dayMS || s.mark >= until { // far enough ahead
			continue
		}
		next := max(s.mark+step, start)
		for len(s.recs) > 0 && s.recs[0].at < next {
			rec := s.recs[0].rec
			f.Fold(stream.In{Now: now, Round: s.mark, Rec: rec}, out)
			s.recs = s.recs[1:]
		}
		s.mark = next
		least := senders[slices.MinFunc(keys, func(a, b string) int { return cmp.Compare(senders[a].mark, senders[b].mark) })].mark
		if least > now && rng.IntN(4) == 0 { // several rounds close at once
			now = least
			f.Advance(now, out)
		}
	}
}

// TestRetell: rows that an older epoch told beyond the state are told anew, or deleted where the state does not have them.
func TestRetell(t *testing.T) {
	cat := testCatalog(t)
	w, until := busy(cat)
	f, tb := newFold(cat, Defaults()), &tables{}
	w.play(f, tb, 30*minuteMS, until)
	var ours []*pb.Record
	for _, key := range sortedKeys(tb.rows) {
		ours = append(ours, plain(tb.rows[key]))
	}
	for _, rec := range ours {
		f.Retell(proto.CloneOf(rec))
	}
	foreign := []*pb.Record{
		{Body: &pb.Record_CrossingDelay{CrossingDelay: &pb.CrossingDelay{Unit: "X", Journey: "X", Border: "dostyk", N: 1, Role: "pair", Area: "dostyk"}}},
		{Body: &pb.Record_DelayStats{DelayStats: &pb.DelayStats{Area: "dostyk", Border: "dostyk", Role: "pair", Direction: "KZ-CN", UnitKind: pb.UnitKind_WAGON, Hour: hourOf(until) - 3*hourMS, N: 1}}},
		{Body: &pb.Record_Alert{Alert: &pb.Alert{Fingerprint: "x|y", Area: "dostyk"}}},
	}
	gone := map[string]bool{}
	for _, rec := range foreign {
		f.Retell(rec)
		gone[rowPiece(rec)] = true
	}
	state, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	again := newFold(cat, Defaults())
	if err := again.Restore(state); err != nil {
		t.Fatal(err)
	}
	got := map[string]*pb.Record{}
	again.Advance(until, stream.NewOut(func(_, _ string, rec *pb.Record) {
		if rec.Deleted {
			if delete(gone, rowPiece(rec)); got[rowPiece(rec)] != nil {
				t.Errorf("deleted: %v", rec)
			}
			return
		}
		got[rowPiece(rec)] = rec
	}, nil))
	for _, rec := range ours {
		if a := rec.GetAlert(); a != nil && f.alerts[a.Fingerprint] == nil {
			continue // it ended long ago
		}
		if g := got[rowPiece(rec)]; g == nil || !proto.Equal(plain(g), rec) {
			t.Errorf("told anew: %v\nwant %v", g, rec)
		}
	}
	if len(gone) > 0 {
		t.Errorf("nobody takes back %v", gone)
	}
}

// FuzzRestore: no bytes make Restore panic. What it takes it writes again, and whoever restores that tells the same afterwards.
func FuzzRestore(f *testing.F) {
	cat := testCatalog(f)
	w, _ := busy(cat)
	fold := newFold(cat, Defaults())
	w.play(fold, &tables{}, 30*minuteMS, day0+1*dayMS)
	fold.Fold(stream.In{Round: day0 + dayMS, Rec: w.recs[0].rec}, nil)
	state, err := fold.Snapshot()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Fuzz(func(t *testing.T, state []byte) {
		first := newFold(cat, Defaults())
		if first.Restore(state) != nil {
			return
		}
		whole, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		second := newFold(cat, Defaults())
		if err := second.Restore(whole); err != nil {
			t.Fatal(err)
		}
		again, err := second.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		if string(whole) != string(again) {
			t.Fatal("restored it is another state")
		}
	})
}

// TestOtherFormat: a state of another version is refused, with what to do.
func TestOtherFormat(t *testing.T) {
	var w writer
	w.text(clockPiece)
	var clock writer
	clock.number(format + 1)
	w.bytes(clock)
	err := newFold(testCatalog(t), Defaults()).Restore(w)
	if err == nil || !strings.Contains(err.Error(), "replay into a new prefix") {
		t.Errorf("error %v", err)
	}
}

// TestReworkedIsWritten: a stay of which the usual time is worked out anew is among the pieces that changed, though nobody told of it.
func TestReworkedIsWritten(t *testing.T) {
	f := newFold(testCatalog(t), Defaults())
	out := stream.NewOut(func(_, _ string, _ *pb.Record) {}, nil)
	visit := func(id string, arrived, departed int64) *pb.Record {
		v := &pb.Visit{Unit: id, UnitKind: pb.UnitKind_TRAIN, Journey: id, Place: "kz-almaty1", N: 1, Stopped: true, State: pb.State_OPEN,
			Arrived: &pb.Moment{At: arrived, Basis: pb.Basis_REPORT}}
		if departed != 0 {
			v.State, v.Departed = pb.State_CLOSED, &pb.Moment{At: departed, Basis: pb.Basis_REPORT}
		}
		return &pb.Record{Stage: pb.Stage_BORDER, Body: &pb.Record_Visit{Visit: v}}
	}
	f.Fold(stream.In{Round: day0, Rec: visit("A", day0+10*hourMS, 0)}, out)
	f.Advance(day0+11*hourMS, out)
	f.Advance(day0+11*hourMS+30*minuteMS, out)
	if _, err := f.Changed(); err != nil {
		t.Fatal(err)
	}
	f.Fold(stream.In{Round: day0 + 11*hourMS + 30*minuteMS, Rec: visit("B", day0+hourMS, day0+5*hourMS)}, out)
	f.Advance(day0+12*hourMS, out)
	pieces, err := f.Changed()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(pieces, func(p stream.Piece) bool { return p.Key == stayPiece+"A|kz-almaty1|1" }) {
		t.Error("what was usual for A changed, and its piece is not written")
	}
}

// TestShiftForgetsWhatChanged: what was found of a shift is found anew once a tracker falls silent or more is known to have been held up.
// A process that was killed meanwhile finds it anew in any case, and must tell the same alerts.
func TestShiftForgetsWhatChanged(t *testing.T) {
	heard := &sample{id: "a", began: day0, ended: open, seconds: -1}
	silent := *heard
	silent.silent = true
	r := &series{begun: []*sample{heard}, ends: []*sample{heard}, stale: open, shiftGood: true}
	if r.replace(heard, &silent, day0+hourMS); r.shiftGood {
		t.Error("a shift rests on a train that nothing is heard of any more")
	}
	f := &fold{set: Defaults(), touched: map[string]bool{}}
	r.shiftGood = true
	if f.cover(&flow{series: r, at: day0 + hourMS, leading: &finding{kind: KindFeedSilent, since: day0}}); r.shiftGood {
		t.Error("a shift rests on trains that were held up")
	}
}
