package chaintest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"corridorwatch/processors/intake"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const pitfalls = "../../testdata/pitfalls"

var show = flag.Bool("show", false, "print what comes out of each scenario")

// asItCame are the scenarios in which it matters when intake sees what: time by the clock, and no other order.
var asItCame = []string{"future-and-1970-clocks"}

// TestPitfalls runs each folder of testdata/pitfalls (README.md, events.jsonl, expected.txt) through intake, dwell and border: in the
// order given with its ticks and restarts in between; and then for each table everything up to it reversed, and shuffled with a third
// repeated. The tables are the same.
func TestPitfalls(t *testing.T) {
	cat := pitfallCatalog(t)
	folders, err := filepath.Glob(pitfalls + "/*/events.jsonl")
	if err != nil || len(folders) < 15 {
		t.Fatal(folders, err)
	}
	for _, path := range folders {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			records := readRecords(t, path)
			want := readTables(t, filepath.Join(filepath.Dir(path), "expected.txt"))
			wall := slices.Contains(asItCame, name)
			got := replay(cat, wall, 0, records, want)
			compareTables(t, "as given", want, got)
			compareTables(t, "restarted after every third record", want, replay(cat, wall, 3, records, want))
			if wall || t.Failed() {
				return
			}
			for seed := range uint64(6) {
				compareTables(t, fmt.Sprintf("disordered, %d", seed), want, disordered(cat, seed, records, want))
			}
		})
	}
}

// pitfallCatalog is the catalogue of the program with source profiles of the scenarios.
func pitfallCatalog(t *testing.T) *network.Catalog {
	dir := t.TempDir()
	files, _ := filepath.Glob("../../schemas/network/*.yaml")
	for _, path := range append(files, pitfalls+"/network/sources.yaml") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cat, err := network.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// record is a line of events.jsonl.
type record struct {
	value []byte
	tick  int64 // of a clock.tick
}

func readRecords(t *testing.T, path string) (all []record) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		r := record{value: line}
		if ev, f := schemas.DecodeJSON(line); f == nil && ev.Verb == pb.Verb_TICK {
			r.tick = ev.Time
		}
		all = append(all, r)
	}
	return all
}

// table is what should be known at a time.
type table struct {
	at   int64
	rows string
}

// readTables reads "at MM-DD HH:MM" and the rows under it.
func readTables(t *testing.T, path string) (all []table) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		head, rows, _ := strings.Cut(part, "\n")
		at, err := time.Parse("2006 at 01-02 15:04", "2026 "+head)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, table{at.UnixMilli(), rows + "\n"})
	}
	return all
}

func compareTables(t *testing.T, how string, want, got []table) {
	t.Helper()
	if *show && how == "as given" {
		for _, g := range got {
			t.Logf("at %s\n%s", clock(g.at), g.rows)
		}
	}
	for i := range want {
		if strings.TrimSpace(want[i].rows) != strings.TrimSpace(got[i].rows) {
			t.Errorf("%s, at %s: got\n%s\nwant\n%s", how, clock(want[i].at), got[i].rows, want[i].rows)
		}
	}
}

// replay folds the records as they lie there.
func replay(cat *network.Catalog, wall bool, every int, records []record, want []table) (got []table) {
	c := New(cat, intake.Config{Wall: wall}, every)
	for _, r := range records {
		c.Put(r.value)
		if len(got) < len(want) && r.tick == want[len(got)].at {
			got = append(got, table{r.tick, rows(c)})
		}
	}
	for len(got) < len(want) {
		got = append(got, table{rows: "no tick of this time"})
	}
	return got
}

// disordered folds for each table what came before it in another order: reversed (seed 0), or shuffled and a third of it twice. Rounds
// close in between, but time goes on only when everything has come: nothing is late.
func disordered(cat *network.Catalog, seed uint64, records []record, want []table) (got []table) {
	rnd := rand.New(rand.NewPCG(seed, 9))
	for _, w := range want {
		var events [][]byte
		first := int64(0)
		for _, r := range records {
			switch {
			case r.tick == 0:
				events = append(events, r.value)
			case first == 0:
				first = r.tick
			}
			if r.tick == w.at {
				break
			}
		}
		if slices.Reverse(events); seed > 0 {
			for range len(events) / 3 {
				events = append(events, events[rnd.IntN(len(events))])
			}
			rnd.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		}
		c := New(cat, intake.Config{}, 0)
		c.Tick(first)
		for i, value := range events {
			c.Put(value)
			if rnd.IntN(4) == 0 {
				c.Tick(first + int64(i) + 1)
			}
		}
		c.Tick(w.at)
		got = append(got, table{w.at, rows(c)})
	}
	return got
}

// rows are the tables as a dispatcher reads them; times to half a minute, those between wide bounds to five.
func rows(c *Chain) string {
	var b strings.Builder
	for _, v := range c.Visits() {
		b.WriteString(visitRow(v))
	}
	for _, x := range c.Crossings() {
		b.WriteString(crossingRow(x))
	}
	for _, s := range c.Statuses() {
		b.WriteString(statusRow(s))
	}
	for _, r := range c.Rejects() {
		var head struct{ ID string }
		_ = json.Unmarshal(r.Value, &head) // what cannot be read has no id
		fmt.Fprintf(&b, "reject %s %s\n", head.ID, r.Reason)
	}
	return b.String()
}

func visitRow(v *pb.Visit) string {
	how := "passed"
	if v.Stopped {
		how = "stopped"
	}
	s := fmt.Sprintf("visit %s %d %s %s", v.Place, v.N, how, strings.ToLower(v.State.String()))
	s += moment("in", v.Entered, 0) + moment("arrived", v.Arrived, v.PlannedArrival) + moment("departed", v.Departed, v.PlannedDeparture)
	if v.Departed.GetBasis() != pb.Basis_REPORT { // else nobody saw it leave the fence
		s += moment("out", v.Left, 0)
	}
	if v.LineStandingS > 0 {
		s += "; stood " + duration(v.LineStandingS) + " on the line before"
	}
	for _, o := range v.Otherwise {
		s += fmt.Sprintf("; but %s %s says %s", o.What, clock(o.At), o.Source)
	}
	return s + "\n"
}

func moment(what string, m *pb.Moment, planned int64) string {
	if m == nil {
		return ""
	}
	if m.At == 0 {
		return fmt.Sprintf("; %s before %s", what, clock(m.Latest))
	}
	wide := m.Latest-m.Earliest > 10*60_000 && m.Earliest != 0 && m.Latest != 0
	s := "; " + what + " " + clock(m.At)
	if wide {
		s = "; " + what + " " + clockTo(m.At, 5*time.Minute)
	}
	switch m.Basis {
	case pb.Basis_REPORT:
		s += " reported"
	case pb.Basis_INFERRED:
		s += " inferred"
	}
	if wide {
		s += fmt.Sprintf(" [%s..%s]", clockTo(m.Earliest, time.Minute), clockTo(m.Latest, time.Minute))
	}
	if planned != 0 {
		late := duration((m.At - planned) / 1000)
		if m.At >= planned {
			late = "+" + late
		}
		s += fmt.Sprintf(" (planned %s, %s)", clock(planned), late)
	}
	return s
}

func crossingRow(x *pb.Crossing) string {
	s := fmt.Sprintf("crossing %s %d %s-%s %s", x.Border, x.N, x.FromCountry, x.ToCountry, strings.ToLower(x.State.String()))
	if x.Candidate {
		s += " candidate"
	}
	for _, p := range []struct {
		what    string
		seconds int64
	}{{"outbound", x.Outbound.Seconds}, {"running", x.RunningS}, {"inbound", x.Inbound.Seconds}, {"total", x.TotalS}} {
		if p.seconds != 0 {
			s += "; " + p.what + " " + duration(p.seconds)
		}
	}
	if x.TotalS != 0 {
		s += " by " + x.TotalBasis
	}
	if x.HasPlan {
		s += ", " + duration(x.DelayPlanS) + " after plan"
	}
	return s + "\n"
}

func statusRow(s *pb.TrainStatus) string {
	where := "on the line"
	switch {
	case s.Place != "":
		where = "at " + s.Place
	case s.LastPlace != "":
		where += " after " + s.LastPlace
	}
	text := fmt.Sprintf("status %s %s; seen %s", strings.ToLower(s.State.String()), where, clock(s.SeenAt))
	if s.SameSince != 0 {
		text += "; the same position since " + clock(s.SameSince)
	}
	return text + "\n"
}

func clock(ms int64) string { return clockTo(ms, 30*time.Second) }

func clockTo(ms int64, unit time.Duration) string {
	return strings.TrimSuffix(time.UnixMilli(ms).UTC().Round(unit).Format("01-02 15:04:05"), ":00")
}

// duration writes seconds as h:mm or h:mm:ss, to half a minute.
func duration(s int64) string {
	d := (time.Duration(s) * time.Second).Round(30 * time.Second)
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	text := fmt.Sprintf("%s%d:%02d:%02d", sign, int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	return strings.TrimSuffix(text, ":00")
}
