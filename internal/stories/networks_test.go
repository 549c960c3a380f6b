package stories

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// changed is the catalogue that ships, with a text of one of its files replaced.
func changed(t *testing.T, file, old, by string) *network.Catalog {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("../../schemas/network/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(path) == file {
			if strings.Count(string(text), old) != 1 {
				t.Fatalf("%s holds %q not once", path, old)
			}
			text = []byte(strings.Replace(string(text), old, by, 1))
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(path)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cat, err := network.LoadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func embedded(t *testing.T) *network.Catalog {
	t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

var marchFirst = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// played is what the stages say of a world at its end.
func played(t *testing.T, cfg simulator.Config, stages *network.Catalog) *told {
	t.Helper()
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := newChain(stages, false)
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		if now := ev.Time / 600_000 * 600_000; now > c.now {
			c.advance(now)
		}
		value, err := proto.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		c.take(value)
	}
	c.advance(cfg.Start.Add(cfg.Duration).UnixMilli())
	return c.told
}

// TestBorderClosedFromADay: a catalogue that closes a border from a day on leaves what was before as it was, to the byte; no train
// crosses it after, by events that were recorded before the catalogue changed, nor does the simulator send one.
func TestBorderClosedFromADay(t *testing.T) {
	t.Parallel()
	day := marchFirst.AddDate(0, 0, 4)
	closed := changed(t, "borders.yaml", "    name: Kartsakhi - Canbaz\n", "    name: Kartsakhi - Canbaz\n    valid_to: 2026-03-05\n")
	cfg := simulator.Config{
		Catalog: embedded(t), Seed: 2, Start: marchFirst, Duration: 8 * 24 * time.Hour, Interval: 10 * time.Minute,
		Lines: []simulator.Line{{Corridor: "middle-btk", First: "ge-tbilisi", Last: "tr-kars", PerDay: 3}, {Corridor: "middle-btk", Down: true, First: "ge-tbilisi", Last: "tr-kars", PerDay: 3}},
	}
	was, is := played(t, cfg, cfg.Catalog), played(t, cfg, closed)
	before, after := 0, 0
	for key, x := range was.crossings {
		if x.Border != "canbaz" {
			continue
		}
		began := x.Outbound.Entered.GetAt()
		if began == 0 {
			began = x.Outbound.Arrived.GetAt()
		}
		if x.Inbound.Left.GetAt() == 0 && x.Inbound.Departed.GetAt() == 0 {
			continue // not over before the end
		}
		switch y := is.crossings[key]; {
		case began < day.UnixMilli():
			before++
			if y == nil || !proto.Equal(x, y) {
				t.Errorf("%s of %v was %v and is %v", key, time.UnixMilli(began).UTC(), x, y)
			}
		case y != nil:
			t.Errorf("%s crosses at %v, when the border is closed", key, time.UnixMilli(began).UTC())
		default:
			after++
		}
	}
	if before < 10 || after < 10 {
		t.Errorf("%d crossings before, %d after: the test shows little", before, after)
	}
	for key, v := range was.visits {
		if !proto.Equal(v, is.visits[key]) {
			t.Errorf("visit %s has changed: %v, now %v", key, v, is.visits[key])
		}
	}
}

// TestSectionClosedFromADay: where the section over a border is taken out from a day on the simulator's trains wait before it, and the
// stages see no crossing after.
func TestSectionClosedFromADay(t *testing.T) {
	t.Parallel()
	day := marchFirst.AddDate(0, 0, 3)
	cat := changed(t, "sections.yaml", "{from: ge-kartsakhi, to: tr-canbaz, km: 3, estimate: true, gauge: 1435, kmh: 46}",
		"{from: ge-kartsakhi, to: tr-canbaz, km: 3, estimate: true, gauge: 1435, kmh: 46, valid_to: 2026-03-04}")
	got := played(t, simulator.Config{
		Catalog: cat, Seed: 2, Start: marchFirst, Duration: 6 * 24 * time.Hour, Interval: 10 * time.Minute, Borders: map[string]simulator.Capacity{"canbaz": {Tracks: 4}},
		Lines: []simulator.Line{{Corridor: "middle-btk", First: "ge-tbilisi", Last: "tr-kars", PerDay: 4}},
	}, cat)
	over, waiting, held := 0, 0, 0
	for key, x := range got.crossings {
		if x.Border != "canbaz" {
			continue
		}
		switch in := x.Inbound.GetEntered().GetAt(); {
		case in == 0 && x.Candidate:
			waiting++
		case in > day.Add(time.Hour).UnixMilli():
			t.Errorf("%s went over at %v", key, time.UnixMilli(x.Inbound.Entered.At).UTC())
		default:
			over++
		}
	}
	for _, f := range got.facts {
		for _, h := range f.Held {
			if h.To == 0 && h.BoundFor == "canbaz" {
				held++
			}
		}
	}
	if over < 5 || waiting != 4 || held == 0 {
		t.Errorf("%d went over before, %d wait at the border of 4 tracks, %d are held", over, waiting, held)
	}
}

// TestPlannedLineOpen plays the China-Kyrgyzstan-Uzbekistan railway as if it were open: both its borders are crossed, and containers
// change trains over the gauge break at Makmal, inside Kyrgyzstan, where no border is.
func TestPlannedLineOpen(t *testing.T) {
	t.Parallel()
	cat := embedded(t)
	cfg := simulator.Config{
		Catalog: cat, Corridors: []string{"cku"}, Seed: 1, Start: marchFirst, Duration: 4 * 24 * time.Hour, Interval: 10 * time.Minute,
		TrainsPerDay: 4, Containers: true, PerTrip: 4,
	}
	if _, err := simulator.New(cfg); err == nil {
		t.Error("a planned line is run without being opened")
	}
	if err := cat.OpenLine("cku", marchFirst.AddDate(0, 0, 1)); err != nil {
		t.Fatal(err)
	}
	got := played(t, cfg, cat)
	crossed, changed := map[string]int{}, 0
	for key, x := range got.crossings {
		if x.Outbound.GetArrived().GetAt() != 0 && x.Outbound.Arrived.At < marchFirst.AddDate(0, 0, 1).UnixMilli() {
			t.Errorf("%s crosses before the line is open", key)
		}
		if x.State == pb.State_CLOSED && !x.Candidate {
			crossed[x.UnitKind.String()+" "+x.Border]++
		}
	}
	for _, v := range got.visits {
		if v.UnitKind == pb.UnitKind_CONTAINER && v.Place == "kg-makmal" && v.VehicleIn != "" && v.VehicleOut != "" && v.VehicleIn != v.VehicleOut {
			changed++
		}
	}
	for _, what := range []string{"TRAIN torugart", "TRAIN jalalabad", "CONTAINER torugart", "CONTAINER jalalabad"} {
		if crossed[what] == 0 {
			t.Errorf("no %s is crossed: %v", what, crossed)
		}
	}
	if changed < 10 {
		t.Errorf("%d containers changed trains at Makmal", changed)
	}
}
