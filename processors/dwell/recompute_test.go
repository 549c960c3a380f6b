package dwell

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	f       *fold
	base    *fold // as it was restored last, with the pieces applied since
	now     int64
	id      uint64
	tb      table
	events  []*pb.Event
	told    map[string]*pb.Record
	folded  int // late events, by the fold's own word
	refused []string
}

func newInstallation(t testing.TB, cat *network.Catalog) *installation {
	return &installation{t: t, cat: cat, f: newFold(cat), base: newFold(cat), tb: table{}, told: map[string]*pb.Record{}}
}

func (in *installation) out() *stream.Out {
	shown := in.tb.out()
	return stream.NewOut(func(topic, key string, rec *pb.Record) {
		shown.Emit(topic, key, rec)
		if _, _, key := rowOf(rec); key != "" && rec.Deleted {
			delete(in.told, key)
		} else if key != "" {
			in.told[key] = proto.CloneOf(rec)
		}
		if r := rec.GetRecomputed(); r != nil {
			in.folded += int(r.Late)
			if r.Refused != "" {
				in.refused = append(in.refused, r.Refused)
			}
		}
		if e := rec.GetEvent(); e != nil && e.Late {
			in.t.Error("a recomputed event is still late")
		}
	}, nil)
}

func (in *installation) event(ev *pb.Event) {
	in.events = append(in.events, proto.CloneOf(ev))
	in.f.Fold(stream.In{Now: in.now, Rec: &pb.Record{Body: &pb.Record_Event{Event: proto.CloneOf(ev)}}}, in.out())
}

func (in *installation) tick(now int64) {
	in.now = max(in.now, now)
	in.f.Advance(in.now, in.out())
}

// pieces are what 'recompute' would send now, in n pieces. Rows that are not there do no harm.
func (in *installation) pieces(n int) []*pb.Recompute {
	in.id++
	all := make([]*pb.Recompute, n)
	for i := range all {
		all[i] = &pb.Recompute{Id: in.id, Stage: pb.Stage_DWELL, Subject: "T1", UnitKind: pb.UnitKind_TRAIN, Piece: uint32(i), Pieces: uint32(n), ReadAt: in.now}
	}
	for i, ev := range in.events {
		p := all[i*n/len(in.events)]
		p.Events = append(p.Events, proto.CloneOf(ev))
	}
	for i, key := range sortedKeys(in.told) {
		if key != "f" { // facts are in no table
			all[i%n].Told = append(all[i%n].Told, in.told[key])
		}
	}
	return all
}

func (in *installation) piece(p *pb.Recompute) {
	in.f.Fold(stream.In{Now: in.now, Rec: &pb.Record{Body: &pb.Record_Recompute{Recompute: proto.CloneOf(p)}}}, in.out())
}

// crash goes on from a snapshot, or from an older one and the pieces that changed since.
func (in *installation) crash(byPieces bool) {
	if byPieces {
		changed, err := in.f.Changed()
		if err == nil {
			err = in.base.Apply(changed)
		}
		if err != nil {
			in.t.Fatal(err)
		}
	}
	from := in.f
	if byPieces {
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

// TestRecomputeScenarios: what holds before and after a recompute, for people to read.
func TestRecomputeScenarios(t *testing.T) {
	cat := testCatalog(t)
	paths, _ := filepath.Glob("testdata/recompute/*.txt")
	if len(paths) == 0 {
		t.Fatal("no scenarios")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			lines, want := parse(t, path)
			in := newInstallation(t, cat)
			before := ""
			for _, l := range lines {
				switch {
				case l.recompute:
					if before == "" {
						before = in.tb.String()
					}
					for _, p := range in.pieces(2) {
						in.piece(p)
					}
				case l.ev != nil:
					in.event(l.ev)
				default:
					in.tick(l.tick)
				}
			}
			got := "before\n" + before + "after, with late events folded: " + fmt.Sprint(in.folded) + "\n" + in.tb.String()
			if *update && got != want {
				text, _ := os.ReadFile(path)
				input, _, _ := strings.Cut(string(text), "----\n")
				os.WriteFile(path, []byte(input+"----\n"+got), 0o644)
			} else if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			var events []*pb.Event
			for _, l := range lines {
				if l.ev != nil {
					events = append(events, l.ev)
				}
			}
			if whole := inTime(t, cat, events, in.now); in.tb.String() != whole {
				t.Errorf("recomputed\n%s\nhad all come in time\n%s", in.tb.String(), whole)
			}
		})
	}
}

// inTime is the table when all events had come in time and in order.
func inTime(t *testing.T, cat *network.Catalog, events []*pb.Event, now int64) string {
	in := newInstallation(t, cat)
	sorted := slices.SortedStableFunc(slices.Values(events), func(a, b *pb.Event) int { return cmp.Compare(a.Time, b.Time) })
	for _, ev := range sorted {
		ev = proto.CloneOf(ev)
		ev.Late = false
		in.event(ev)
	}
	in.tick(now)
	return in.tb.String()
}

// TestRecomputeAnyhow plays every scenario with some events late: the recompute's pieces come in any order and repeatedly, others
// before it were never finished, events and crashes come in between, and the run is held still or long forgotten.
func TestRecomputeAnyhow(t *testing.T) {
	cat := testCatalog(t)
	paths, _ := filepath.Glob("testdata/*.txt")
	more, _ := filepath.Glob("testdata/recompute/*.txt")
	for _, path := range append(paths, more...) {
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
	in := newInstallation(t, cat)
	var late, fresh, all []*pb.Event
	last := int64(0)
	for _, l := range lines {
		if l.ev != nil {
			last = max(last, l.ev.Time)
		}
	}
	read := last + []int64{10, 71, 100, 1000}[rnd.IntN(4)]*hourMS // the last: forgotten
	for _, l := range lines {
		if l.ev == nil {
			continue
		}
		ev := proto.CloneOf(l.ev)
		ev.Late = false
		all = append(all, ev)
		switch n := rnd.IntN(10); {
		case n < 3:
			ev = proto.CloneOf(ev)
			ev.Late = true
			late = append(late, ev)
		case n < 5 && ev.Time >= read-latenessMS:
			fresh = append(fresh, proto.CloneOf(ev))
		default:
			in.event(ev)
			if rnd.IntN(3) == 0 {
				in.tick(ev.Time)
			}
		}
	}
	in.tick(last)
	in.tick(read)
	for _, ev := range late {
		in.event(ev)
	}
	if rnd.IntN(2) == 0 { // one that was never finished
		in.piece(in.pieces(5)[rnd.IntN(5)])
	}
	pieces := in.pieces(1 + rnd.IntN(4))
	pieces = append(pieces, pieces[:rnd.IntN(len(pieces)+1)]...)
	rnd.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
	again := false
	take := func() {
		if fresh[0].Late = fresh[0].Time < in.now-latenessMS; fresh[0].Late {
			again = true // time has gone on too far for it
		}
		in.event(fresh[0])
		fresh = fresh[1:]
	}
	for _, p := range pieces {
		in.piece(p)
		switch rnd.IntN(4) {
		case 0:
			in.tick(in.now + int64(rnd.IntN(50))*60_000)
		case 1:
			in.crash(rnd.IntN(2) == 0)
		case 2:
			if len(fresh) > 0 {
				take()
			}
		}
	}
	for len(fresh) > 0 {
		take()
	}
	in.tick(in.now + 60_000)
	if again || slices.ContainsFunc(in.refused, func(why string) bool { return strings.HasPrefix(why, "fixes") }) { // as 'recompute' does
		for _, p := range in.pieces(2) {
			in.piece(p)
		}
		in.tick(in.now + 60_000)
	}
	return in.tb.String(), inTime(t, cat, all, in.now)
}

// TestRecomputeReadTooEarly: a fix that came after the reading and is held no longer would be lost. So the recompute is refused, and
// one that is read then is not.
func TestRecomputeReadTooEarly(t *testing.T) {
	in := newInstallation(t, testCatalog(t))
	fix := func(id string, at int64, x int) {
		ev := &pb.Event{Source: "s", Id: id, Subject: "T1", UnitKind: pb.UnitKind_TRAIN, Time: at}
		verb(t, ev, "fix", []string{fmt.Sprint(x)})
		in.event(ev)
	}
	start := day.UnixMilli()
	fix("1", start, 0)
	fix("2", start+60_000, 1000)
	in.tick(start + latenessMS)
	pieces := in.pieces(2)
	fix("3", start+2*60_000, 20_000)
	in.tick(start + latenessMS + 5*hourMS)
	before := in.tb.String()
	for _, p := range pieces {
		in.piece(p)
	}
	in.tick(in.now + 60_000)
	if len(in.refused) != 1 || in.tb.String() != before {
		t.Errorf("refused %q; before\n%s\nafter\n%s", in.refused, before, in.tb.String())
	}
	for _, p := range in.pieces(2) {
		in.piece(p)
	}
	in.tick(in.now + 60_000)
	if len(in.refused) != 1 || in.tb.String() != before {
		t.Errorf("read again: refused %q; before\n%s\nafter\n%s", in.refused, before, in.tb.String())
	}
	old := in.pieces(1)[0]
	in.tick(in.now + latenessMS)
	in.piece(old)
	if len(in.refused) != 2 {
		t.Errorf("read three days ago: refused %q", in.refused)
	}
}

// TestRecomputedIsHeld: a run that was forgotten is held for three days once it is recomputed, for another that was read before.
func TestRecomputedIsHeld(t *testing.T) {
	in := newInstallation(t, testCatalog(t))
	lines, _ := parse(t, "testdata/recompute/ghost_deleted.txt")
	for _, l := range lines {
		if l.ev != nil {
			in.event(l.ev)
		} else if !l.recompute {
			in.tick(l.tick)
		}
	}
	if len(in.f.runs) != 0 {
		t.Fatal("the run was not forgotten")
	}
	in.piece(in.pieces(1)[0])
	in.tick(in.now + latenessMS - hourMS)
	if len(in.f.runs) != 1 {
		t.Error("it is forgotten already")
	}
	in.tick(in.now + 2*hourMS)
	if len(in.f.runs) != 0 {
		t.Error("it is never forgotten")
	}
}
