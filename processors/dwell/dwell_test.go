package dwell

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write the expected tables anew")

// table is what a consumer of the topics holds: the latest of every key.
type table map[string]string

func (tb table) out() *stream.Out {
	return stream.NewOut(func(topic, key string, rec *pb.Record) {
		switch b := rec.Body.(type) {
		case *pb.Record_Visit:
			tb.set(rec, "visit "+b.Visit.Place+" "+strconv.Itoa(int(b.Visit.N)), showVisit(b.Visit))
		case *pb.Record_Ride:
			r := b.Ride
			text := fmt.Sprintf("on %s-%s", clock(r.OnFrom), clock(r.OnTo))
			if r.LoadedHere {
				text += " loaded here"
			}
			if r.UnloadedHere {
				text += " unloaded here"
			}
			if r.Unit != r.Run {
				tb.set(rec, "ride "+r.Unit+" "+r.Visit.Place+" "+strconv.Itoa(int(r.Visit.N)), text)
			}
		case *pb.Record_TrainStatus:
			s := b.TrainStatus
			tb.set(rec, "status "+s.Run, fmt.Sprintf("%s at %q last %q seen %s standing %v", s.State, s.Place, s.LastPlace, clock(s.SeenAt), s.Standing))
		}
	}, nil)
}

func (tb table) set(rec *pb.Record, key, text string) {
	if rec.Deleted {
		delete(tb, key)
		return
	}
	tb[key] = text
}

func (tb table) String() string {
	var lines []string
	for k, v := range tb {
		lines = append(lines, k+": "+v)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func clock(ms int64) string {
	if ms == 0 {
		return "-"
	}
	d := time.UnixMilli(ms).UTC().Sub(day).Round(time.Second)
	return fmt.Sprintf("%02d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
}

func showMoment(m *pb.Moment) string {
	if m == nil {
		return "-"
	}
	s := clock(m.At)
	switch m.Basis {
	case pb.Basis_REPORT:
		s += " reported"
	case pb.Basis_INFERRED:
		s += fmt.Sprintf(" inferred (%s to %s)", clock(m.Earliest), clock(m.Latest))
	case pb.Basis_INTERPOLATED:
		s += fmt.Sprintf(" (%s to %s)", clock(m.Earliest), clock(m.Latest))
	case pb.Basis_BASIS_NONE:
		s += " before " + clock(m.Latest)
	}
	return s
}

func showVisit(v *pb.Visit) string {
	how := "passed"
	if v.Stopped {
		how = "stopped"
	}
	s := fmt.Sprintf("%s %s; entered %s; arrived %s; departed %s; left %s", how, v.State, showMoment(v.Entered), showMoment(v.Arrived), showMoment(v.Departed), showMoment(v.Left))
	if v.Origin {
		s += "; origin"
	}
	if v.Terminus {
		s += "; terminus"
	}
	for _, a := range v.Activities {
		s += fmt.Sprintf("; %s %s-%s", a.Kind, clock(a.From), clock(a.To))
	}
	if v.OfferedAt != 0 {
		s += fmt.Sprintf("; offered %s accepted %s refused %d", clock(v.OfferedAt), clock(v.AcceptedAt), v.Refused)
	}
	if v.OverlapS > 0 {
		s += fmt.Sprintf("; %d s after the next visit began", v.OverlapS)
	}
	if v.LineStandingS > 0 {
		s += fmt.Sprintf("; stood %d s on the line before", v.LineStandingS)
	}
	return s
}

// line is one line of a scenario: an event or a tick.
type line struct {
	ev        *pb.Event
	tick      int64
	recompute bool // with all events so far; only in testdata/recompute
}

func at24(t *testing.T, s string) int64 {
	h, m, _ := strings.Cut(s, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.ParseFloat(m, 64)
	if err1 != nil || err2 != nil {
		t.Fatalf("time %q", s)
	}
	return day.UnixMilli() + int64(hh)*hourMS + int64(mm*60_000)
}

// parse reads a scenario: "HH:MM verb words" (hours may pass 24), "tick HH:MM", "recompute", comments with #. Its catalogue is testdata/line.
func parse(t *testing.T, path string) (lines []line, want string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	input, want, _ := strings.Cut(string(text), "----\n")
	sc := bufio.NewScanner(strings.NewReader(input))
	for n := 0; sc.Scan(); n++ {
		w := strings.Fields(sc.Text())
		if len(w) == 0 || w[0] == "#" {
			continue
		}
		if w[0] == "recompute" {
			lines = append(lines, line{recompute: true})
			continue
		}
		if w[0] == "tick" {
			lines = append(lines, line{tick: at24(t, w[1])})
			continue
		}
		ev := &pb.Event{Source: "s", Id: strconv.Itoa(n), Subject: "T1", UnitKind: pb.UnitKind_TRAIN, Time: at24(t, w[0])}
		verb(t, ev, w[1], w[2:])
		ev.Hash = schemas.Hash(ev)
		lines = append(lines, line{ev: ev})
	}
	return lines, want
}

func verb(t *testing.T, ev *pb.Event, word string, w []string) {
	place := ""
	if len(w) > 0 {
		place = w[0]
	}
	switch word {
	case "fix": // east of A in metres along the line, north of it
		x, _ := strconv.ParseFloat(w[0], 64)
		y := 0.0
		if len(w) > 1 {
			y, _ = strconv.ParseFloat(w[1], 64)
		}
		ev.Verb = pb.Verb_POSITION
		const m = 180 / 3.141592653589793 / 6371008.8
		ev.Data = &pb.Event_Position{Position: &pb.Position{LatE7: int32(y * m * 1e7), LonE7: int32((10 + x*m) * 1e7)}}
	case "late":
		verb(t, ev, w[0], w[1:])
		ev.Late = true
	case "arrived", "departed", "passed":
		ev.Verb = map[string]pb.Verb{"arrived": pb.Verb_ARRIVED, "departed": pb.Verb_DEPARTED, "passed": pb.Verb_PASSED}[word]
		ev.Place, ev.Data = place, &pb.Event_Movement{Movement: &pb.Movement{}}
	case "plan": // place and hour of arrival, in turns
		plan := &pb.Plan{}
		for i := 0; i+1 < len(w); i += 2 {
			plan.Stops = append(plan.Stops, &pb.PlanStop{Place: w[i], Arrival: at24(t, w[i+1])})
			plan.Destination = w[i]
		}
		ev.Verb, ev.Data = pb.Verb_PLANNED, &pb.Event_Plan{Plan: plan}
	case "ended":
		ev.Verb, ev.Place, ev.Data = pb.Verb_ENDED, place, &pb.Event_Ended{Ended: &pb.Ended{}}
	case "started", "finished":
		st := map[string]pb.Activity_State{"started": pb.Activity_STARTED, "finished": pb.Activity_FINISHED}[word]
		ev.Verb, ev.Place, ev.Data = pb.Verb_ACTIVITY, place, &pb.Event_Activity{Activity: &pb.Activity{Kind: w[1], State: st}}
	case "set", "add", "remove":
		op := map[string]pb.Composition_Op{"set": pb.Composition_SET, "add": pb.Composition_ADD, "remove": pb.Composition_REMOVE}[word]
		c := &pb.Composition{Op: op}
		for _, id := range w {
			if at, ok := strings.CutPrefix(id, "@"); ok { // the place of the list
				ev.Place = at
				continue
			}
			c.Items = append(c.Items, &pb.CompositionItem{Containers: []*pb.ContainerOn{{Id: id}}})
		}
		ev.Verb, ev.Data = pb.Verb_COMPOSITION, &pb.Event_Composition{Composition: c}
	case "retract":
		n, _ := strconv.Atoi(w[0])
		ev.Verb, ev.Data = pb.Verb_RETRACTED, &pb.Event_Retraction{Retraction: &pb.Retraction{Id: strconv.Itoa(n - 1)}}
	default:
		t.Fatalf("what is %q?", word)
	}
}

func play(f stream.Fold, lines []line, tb table) {
	out := tb.out()
	for _, l := range lines {
		if l.ev != nil {
			f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: proto.Clone(l.ev).(*pb.Event)}}}, out)
		} else {
			f.Advance(l.tick, out)
		}
	}
}

func testCatalog(t testing.TB) *network.Catalog {
	cat, err := network.LoadDir("testdata/line")
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func TestScenarios(t *testing.T) {
	cat := testCatalog(t)
	paths, _ := filepath.Glob("testdata/*.txt")
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			lines, want := parse(t, path)
			tb := table{}
			play(newFold(cat), lines, tb)
			if got := tb.String(); got != want {
				if *update {
					text, _ := os.ReadFile(path)
					input, _, _ := strings.Cut(string(text), "----\n")
					os.WriteFile(path, []byte(input+"----\n"+got), 0o644)
					return
				}
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			anyOrder(t, cat, lines, tb.String())
			anyCut(t, cat, lines, tb.String())
		})
	}
}

// anyOrder shuffles the events, repeats some and ticks at random: the table at the last tick is the same.
func anyOrder(t *testing.T, cat *network.Catalog, lines []line, want string) {
	var events []line
	last := int64(0)
	for _, l := range lines {
		if l.ev != nil {
			events = append(events, l)
		}
		last = max(last, l.tick)
	}
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		shuffled := slices.Clone(events)
		for range len(events) / 3 {
			shuffled = append(shuffled, events[rnd.IntN(len(events))])
		}
		rnd.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		var mixed []line
		for _, e := range shuffled {
			mixed = append(mixed, e)
			if rnd.IntN(3) == 0 {
				mixed = append(mixed, line{tick: day.UnixMilli()})
			}
		}
		tb := table{}
		play(newFold(cat), append(mixed, line{tick: last}), tb)
		if got := tb.String(); got != want {
			t.Fatalf("seed %d: another order gives\n%s\nwant\n%s", seed, got, want)
		}
	}
}

// anyCut restarts from a snapshot at every line.
func anyCut(t *testing.T, cat *network.Catalog, lines []line, want string) {
	for cut := range lines {
		tb := table{}
		f := newFold(cat)
		play(f, lines[:cut], tb)
		state, err := f.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		g := newFold(cat)
		if err := g.Restore(state); err != nil {
			t.Fatalf("cut %d: %v", cut, err)
		}
		if again, _ := g.Snapshot(); string(again) != string(state) {
			t.Fatalf("cut %d: the snapshot of what was restored differs", cut)
		}
		play(g, lines[cut:], tb)
		if got := tb.String(); got != want {
			t.Fatalf("restart at line %d gives\n%s\nwant\n%s", cut, got, want)
		}
	}
}

func BenchmarkInOrder(b *testing.B) {
	cat := testCatalog(b)
	f := newFold(cat)
	out := stream.NewOut(func(string, string, *pb.Record) {}, nil)
	const runs = 100
	names := make([]string, runs)
	for i := range names {
		names[i] = fmt.Sprintf("T%d", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		k := i % runs
		minute := int64(i / runs)
		x := int32((minute*800)%60_000) * 90
		ev := &pb.Event{Source: "s", Id: strconv.Itoa(i), Subject: names[k], UnitKind: pb.UnitKind_TRAIN, Time: day.UnixMilli() + minute*60_000, Verb: pb.Verb_POSITION,
			Data: &pb.Event_Position{Position: &pb.Position{LatE7: 0, LonE7: 10e7 + x}}}
		f.Fold(stream.In{Rec: &pb.Record{Body: &pb.Record_Event{Event: ev}}}, out)
		if k == runs-1 {
			f.Advance(ev.Time, out)
		}
	}
}
