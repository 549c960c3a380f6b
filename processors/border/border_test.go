package border

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
	return stream.NewOut(func(topic, _ string, rec *pb.Record) {
		if topic == schemas.AreaEvents {
			return // see areas_test.go
		}
		var key, text string
		switch b := rec.Body.(type) {
		case *pb.Record_Visit:
			v := b.Visit
			key = fmt.Sprintf("%s visit %s %d", v.Journey, v.Place, v.N)
			text = fmt.Sprintf("%s; arrived %s; departed %s; in %s out %s", v.State, showMoment(v.Arrived), showMoment(v.Departed), or(v.VehicleIn), or(v.VehicleOut))
			if v.Transfer != nil {
				text += "\n    " + showTransfer(v.Transfer)
			}
		case *pb.Record_Leg:
			l := b.Leg
			key = fmt.Sprintf("%s leg %s-%s %d", l.Journey, l.From, l.To, l.N)
			text = fmt.Sprintf("%s-%s by %s, %g km, moving %d min, standing %d min", clock(l.StartedAt), clock(l.ArrivedAt), or(l.Vehicle), l.Km, l.MovingS/60, l.StandingS/60)
			if l.Border != "" {
				text += "; over " + l.Border
			}
			if l.Skipped > 0 {
				text += fmt.Sprintf("; %d not seen", l.Skipped)
			}
		case *pb.Record_Crossing:
			c := b.Crossing
			key = fmt.Sprintf("%s crossing %s %d", c.Journey, c.Border, c.N)
			if !rec.Deleted {
				text = showCrossing(c)
			}
		}
		if rec.Deleted {
			delete(tb, key)
		} else {
			tb[key] = text
		}
	}, nil)
}

func showCrossing(c *pb.Crossing) string {
	s := fmt.Sprintf("%s-%s %s", c.FromCountry, c.ToCountry, c.State)
	if c.Candidate {
		s += " candidate"
	}
	for _, side := range []*pb.Side{c.Outbound, c.Inbound} {
		s += fmt.Sprintf("\n    %s %s %s: %s to %s", side.Role, or(strings.Join(side.Places, "+")), side.State, showMoment(schemas.SideEntry(side)), showMoment(schemas.SideExit(side)))
		if len(side.Vehicles) > 0 {
			s += " on " + strings.Join(side.Vehicles, ", ")
		}
		if side.Seconds != 0 {
			s += fmt.Sprintf(", %d min (customs %d, gauge change %d, other %d, unexplained %d)",
				side.Seconds/60, side.CustomsS/60, side.GaugeChangeS/60, side.OtherS/60, side.UnexplainedS/60)
		}
		if side.OverlapS != 0 {
			s += fmt.Sprintf(", overlap %d min", side.OverlapS/60)
		}
		if side.HasNorm && side.Seconds != 0 {
			s += fmt.Sprintf(", norm %+d", side.DelayNormS/60)
		}
		if side.HasPlan {
			s += fmt.Sprintf(", plan %+d", side.DelayPlanS/60)
		}
	}
	s += fmt.Sprintf("\n    between %d min", c.RunningS/60)
	if c.TotalS != 0 {
		s += fmt.Sprintf("; total %d min by %s (%d to %d)", c.TotalS/60, c.TotalBasis, c.TotalEarliestS/60, c.TotalLatestS/60)
	}
	if c.HasNorm && c.TotalS != 0 {
		s += fmt.Sprintf(", norm %+d", c.DelayNormS/60)
	}
	if c.HasPlan {
		s += fmt.Sprintf(", plan %+d", c.DelayPlanS/60)
	}
	if c.OfferedAt != 0 {
		s += fmt.Sprintf("; handed over %s-%s, %d min, refused %d", clock(c.OfferedAt), clock(c.AcceptedAt), c.HandoverS/60, c.Refused)
		if c.RefusedAt != 0 {
			s += fmt.Sprintf(" at %s, offered again %s", clock(c.RefusedAt), clock(c.OfferedAgainAt))
		}
	}
	if c.ApproachS != 0 {
		s += fmt.Sprintf("; held before %d min", c.ApproachS/60)
	}
	if c.VehicleIn != "" || c.VehicleOut != "" {
		s += fmt.Sprintf("; in %s out %s, consist %s", or(c.VehicleIn), or(c.VehicleOut), c.Consist)
	}
	if c.Transfer != nil {
		s += "\n    " + showTransfer(c.Transfer)
	}
	return s
}

func showTransfer(t *pb.Transfer) string {
	s := fmt.Sprintf("changes from %s (%s-%s, %d min) to %s (%s-%s, %d min), between %d min; unexplained %d, overlap %d", or(t.First), clock(t.Arrived), clock(t.OffAt),
		t.OnFirstS/60, or(t.Second), clock(t.OnAt), clock(t.Departed), t.OnSecondS/60, t.BetweenS/60, t.UnexplainedS/60, t.OverlapS/60)
	for _, c := range t.Causes {
		s += fmt.Sprintf(", %s %d", c.Cause, c.Seconds/60)
	}
	if t.AsOf != 0 {
		s += fmt.Sprintf("; as of %s, going on: %s", clock(t.AsOf), or(strings.Join(t.GoingOn, ", ")))
	}
	return s
}

func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
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
	d := time.UnixMilli(ms).UTC().Sub(day)
	return fmt.Sprintf("%02d:%02d", int(d.Hours()), int(d.Minutes())%60)
}

func showMoment(m *pb.Moment) string {
	switch {
	case m == nil:
		return "-"
	case m.Basis == pb.Basis_INFERRED:
		return fmt.Sprintf("%s inferred (%s to %s)", clock(m.At), clock(m.Earliest), clock(m.Latest))
	}
	return clock(m.At)
}

// line is one line of a scenario: a record, or a tick.
type line struct {
	rec  *pb.Record
	tick int64
	key  string // records of one key come in their order: one task writes them
}

func at24(t *testing.T, s string) int64 {
	h, m, _ := strings.Cut(s, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.Atoi(m)
	if err1 != nil || err2 != nil {
		t.Fatalf("time %q", s)
	}
	return day.UnixMilli() + int64(hh)*hourMS + int64(mm)*60_000
}

func (p *parser) moment(s string) *pb.Moment {
	if s == "-" {
		return nil
	}
	at := at24(p.t, s)
	return &pb.Moment{At: at, Basis: pb.Basis_REPORT, Earliest: at, Latest: at}
}

// parser reads a scenario. Its lines, with times HH:MM whose hours may pass 24, and - for what is not known:
//
//	visit RUN PLACE ARRIVED DEPARTED [WORD=VALUE ...]    what dwell tells of a run; an open visit has no departure
//	gone RUN PLACE N                                     dwell takes the visit back
//	carry BOX RUN PLACE ARRIVED DEPARTED [WORD=VALUE ...] the same of a container on board
//	facts RUN [plan=PLACE[@HH:MM],PLACE] [exit=BORDER] [ended=HH:MM]
//	HH:MM BOX arrived|departed|gate_in|delivered PLACE   what is reported of a container
//	HH:MM BOX started|finished PLACE KIND                what is done to it
//	retract ID                                           takes back the event of that line
//	tick HH:MM
type parser struct {
	t     *testing.T
	count map[string]uint32
	lines []line
}

func parse(t *testing.T, path string) (lines []line, want string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	input, want, _ := strings.Cut(string(text), "----\n")
	p := &parser{t: t, count: map[string]uint32{}}
	sc := bufio.NewScanner(strings.NewReader(input))
	for n := 1; sc.Scan(); n++ {
		if w := strings.Fields(sc.Text()); len(w) > 0 && w[0] != "#" {
			p.line(n, w)
		}
	}
	return p.lines, want
}

func (p *parser) add(key string, rec *pb.Record) {
	p.lines = append(p.lines, line{rec: rec, key: key})
}

func (p *parser) line(n int, w []string) {
	switch w[0] {
	case "tick":
		p.lines = append(p.lines, line{tick: at24(p.t, w[1])})
	case "visit":
		p.ride(w[1], pb.UnitKind_TRAIN, w[1], w[2:])
	case "carry":
		p.ride(w[1], pb.UnitKind_CONTAINER, w[2], w[3:])
	case "wagon":
		p.ride(w[1], pb.UnitKind_WAGON, w[2], w[3:])
	case "gone":
		k, _ := strconv.Atoi(w[3])
		p.add(w[1]+w[1]+w[2]+w[3], &pb.Record{Deleted: true, Body: &pb.Record_Ride{Ride: &pb.Ride{
			Unit: w[1], UnitKind: pb.UnitKind_TRAIN, Run: w[1], Visit: &pb.Visit{Place: w[2], N: uint32(k)}}}})
	case "facts":
		p.facts(w[1], w[2:])
	case "retract":
		p.event(n, "BOX", at24(p.t, "09:00"), &pb.Event{Verb: pb.Verb_RETRACTED, Data: &pb.Event_Retraction{Retraction: &pb.Retraction{Id: w[1]}}})
	default:
		e := &pb.Event{Place: w[3]}
		switch w[2] {
		case "arrived":
			e.Verb = pb.Verb_ARRIVED
		case "departed":
			e.Verb = pb.Verb_DEPARTED
		case "started", "finished":
			state := map[string]pb.Activity_State{"started": pb.Activity_STARTED, "finished": pb.Activity_FINISHED}[w[2]]
			e.Verb, e.Data = pb.Verb_ACTIVITY, &pb.Event_Activity{Activity: &pb.Activity{Kind: w[4], State: state}}
		default:
			e.Verb, e.Data = pb.Verb_MILESTONE, &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: w[2]}}
		}
		p.event(n, w[1], at24(p.t, w[0]), e)
	}
}

func (p *parser) event(n int, unit string, at int64, e *pb.Event) {
	e.Source, e.Id, e.Subject, e.UnitKind, e.Time = "s", strconv.Itoa(n), unit, pb.UnitKind_CONTAINER, at
	e.Hash = schemas.Hash(e)
	p.add(fmt.Sprint("event", n), &pb.Record{Body: &pb.Record_Event{Event: e}})
}

func (p *parser) ride(unit string, kind pb.UnitKind, run string, w []string) {
	place := w[0]
	v := &pb.Visit{
		Unit: run, UnitKind: pb.UnitKind_TRAIN, Journey: run, Place: place, Arrived: p.moment(w[1]), Departed: p.moment(w[2]), Stopped: true, State: pb.State_CLOSED,
	}
	if v.Departed == nil {
		v.State = pb.State_OPEN
	}
	r := &pb.Ride{Unit: unit, UnitKind: kind, Run: run, RunKind: pb.UnitKind_TRAIN, Visit: v}
	again := false
	for _, word := range w[3:] {
		name, value, _ := strings.Cut(word, "=")
		from, to, _ := strings.Cut(value, "-")
		switch name {
		case "again": // the same visit, told anew
			again = true
		case "entered":
			v.Entered = p.moment(value)
		case "left":
			v.Left = p.moment(value)
		case "passed":
			v.Stopped = false
			v.Entered, v.Left, v.Arrived, v.Departed = v.Arrived, v.Departed, nil, nil
		case "plan":
			v.PlannedArrival, v.PlannedDeparture = at24(p.t, from), at24(p.t, to)
		case "offered":
			v.OfferedAt = at24(p.t, value)
		case "accepted":
			v.AcceptedAt = at24(p.t, value)
		case "refused":
			v.Refused++
			if value != "" {
				v.RefusedAt = at24(p.t, value)
			}
		case "reoffered":
			v.OfferedAgainAt = at24(p.t, value)
		case "named": // by the first list of the run, and by the last until it left
			r.NamedAt, r.NamedLastAt = at24(p.t, from), at24(p.t, from)
			if to != "" {
				r.NamedLastAt = at24(p.t, to)
			}
		case "terminus":
			v.Terminus = true
		case "loaded":
			r.LoadedHere, r.OnFrom = true, at24(p.t, value)
		case "unloaded":
			r.UnloadedHere, r.OnTo = true, at24(p.t, value)
		case "by":
			r.OnBy = "s#" + value
		case "line":
			v.LineStandingS, _ = strconv.ParseInt(value, 10, 64)
		case "held":
			v.Activities = append(v.Activities, &pb.Span{Kind: "held", BoundFor: "gate-pass", From: at24(p.t, from), To: at24(p.t, to)})
		default: // an activity
			a := &pb.Span{Kind: name, From: at24(p.t, from)}
			if to != "" {
				a.To = at24(p.t, to)
			}
			v.Activities = append(v.Activities, a)
		}
	}
	key := unit + run + place
	if !again {
		p.count[key]++
	}
	v.N = p.count[key]
	p.add(key+fmt.Sprint(v.N), &pb.Record{Body: &pb.Record_Ride{Ride: r}})
}

func (p *parser) facts(run string, w []string) {
	f := &pb.RunFacts{Unit: run, UnitKind: pb.UnitKind_TRAIN, Run: run, State: pb.State_OPEN}
	for _, word := range w {
		name, value, _ := strings.Cut(word, "=")
		switch name {
		case "plan":
			for place := range strings.SplitSeq(value, ",") {
				place, arrival, timed := strings.Cut(place, "@")
				stop := &pb.PlanStop{Place: place}
				if timed {
					stop.Arrival = at24(p.t, arrival)
				}
				f.Plan = append(f.Plan, stop)
			}
		case "exit":
			f.ExitBorder = value
		case "ended":
			f.EndedAt, f.State = at24(p.t, value), pb.State_CLOSED
		default:
			p.t.Fatalf("facts: what is %q?", word)
		}
	}
	p.add("facts"+run, &pb.Record{Body: &pb.Record_RunFacts{RunFacts: f}})
}

func play(f stream.Fold, lines []line, tb table) {
	out := tb.out()
	for _, l := range lines {
		if l.rec != nil {
			f.Fold(stream.In{Rec: proto.CloneOf(l.rec)}, out)
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
	if len(paths) == 0 {
		t.Fatal("no scenarios")
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			lines, want := parse(t, path)
			tb := table{}
			play(newFold(cat), lines, tb)
			got := tb.String()
			if got != want {
				if *update {
					text, _ := os.ReadFile(path)
					input, _, _ := strings.Cut(string(text), "----\n")
					os.WriteFile(path, []byte(input+"----\n"+got), 0o644)
					return
				}
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			anyOrder(t, cat, lines, got)
			anyCut(t, cat, lines, got)
		})
	}
}

// anyOrder shuffles the records, those of one key kept in order, repeats reports and ticks at random: the table at the last tick is
// the same.
func anyOrder(t *testing.T, cat *network.Catalog, lines []line, want string) {
	t.Helper()
	byKey, last := map[string][]line{}, int64(0)
	var keys []string // one for each record
	for _, l := range lines {
		last = max(last, l.tick)
		if l.rec != nil {
			byKey[l.key] = append(byKey[l.key], l)
			keys = append(keys, l.key)
		}
	}
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		rnd.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
		next := map[string]int{}
		var mixed []line
		for _, k := range keys {
			l := byKey[k][next[k]]
			next[k]++
			mixed = append(mixed, l)
			if l.rec.GetEvent() != nil && rnd.IntN(2) == 0 {
				mixed = append(mixed, l)
			}
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
	t.Helper()
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
		again, err := g.Snapshot()
		if err != nil || string(again) != string(state) {
			t.Fatalf("cut %d: the snapshot of what was restored differs (%v)", cut, err)
		}
		play(g, lines[cut:], tb)
		if got := tb.String(); got != want {
			t.Fatalf("cut %d gives\n%s\nwant\n%s", cut, got, want)
		}
	}
}
