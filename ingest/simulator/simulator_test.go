package simulator

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var begin = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func catalogue(t testing.TB) *network.Catalog {
	t.Helper()
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// busyWorld has borders that take less than comes, one that is closed for two days, and refusals.
func busyWorld(t testing.TB) Config {
	return Config{
		Catalog: catalogue(t), Corridors: []string{"northern", "middle-poti", "northern-dostyk"}, Seed: 5, Start: begin, Duration: 10 * 24 * time.Hour, TrainsPerDay: 3,
		Interval: 20 * time.Minute, Refusals: 0.2, Containers: true,
		Borders: map[string]Capacity{"khorgos": {TrainsPerDay: 8, Tracks: 6}, "brest": {TrainsPerDay: 12, Tracks: 5}},
		Restrictions: []Restriction{
			{Border: "brest", Direction: "BY-PL", From: begin.Add(24 * time.Hour), Until: begin.Add(72 * time.Hour), Reason: "closed", Cause: "border_closed"},
			{Border: "dostyk", From: begin.Add(-48 * time.Hour), PerDay: 2, Reason: "works"},
		},
	}
}

func made(t testing.TB, cfg Config) (*World, []*pb.Event) {
	t.Helper()
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var all []*pb.Event
	for e, ok := w.Next(); ok; e, ok = w.Next() {
		all = append(all, e)
	}
	return w, all
}

// TestSeed: one seed gives one world, another gives another.
func TestSeed(t *testing.T) {
	cfg := busyWorld(t)
	cfg.Duration = 12 * time.Hour
	cfg.Duplicates, cfg.ShuffleWithin, cfg.NoiseM = 0.1, time.Hour, 10
	_, first := made(t, cfg)
	_, again := made(t, cfg)
	equal := func(a, b *pb.Event) bool { return proto.Equal(a, b) }
	if !slices.EqualFunc(first, again, equal) {
		t.Error("the same seed gave other events")
	}
	cfg.Seed++
	if _, other := made(t, cfg); slices.EqualFunc(first, other, equal) {
		t.Error("another seed gave the same events")
	}
}

// passage is a train on the side of a border that it leaves.
type passage struct{ came, went, held int64 }

// passages are those of all trips over a border out of a country, in order of leaving it.
func passages(d *driver, trips []*trip, border, country string) (all []passage) {
	for _, t := range trips {
		p := passage{}
		i := -1
		for _, r := range t.runs {
			for _, c := range r.calls {
				if i < 0 || t.places[i] != c.place.ID { // else it is the next run from there
					i++
					if p.went != 0 {
						all = append(all, p)
						p = passage{}
					}
				}
				if c.boundFor == border {
					p.held = c.held
				}
				if p.came == 0 && d.enters(t, i) == border && c.place.Country == country {
					p.came = c.arrive
				}
				if p.came != 0 && d.crosses(t, i) == border {
					p.went = c.left
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b passage) int { return int(a.went - b.went) })
	return all
}

// TestBorders holds every passage against what its border takes: so many a day, none while it is closed, no more in the station
// than it has tracks, and the trains that are held come in the order in which they were held.
func TestBorders(t *testing.T) {
	cfg := busyWorld(t)
	lines, err := streams(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d := newDriver(cfg)
	trips := d.drive(timetable(cfg, lines))
	held := 0
	for _, side := range []struct {
		border, country string
		perDay          float64
		tracks          int
		shut            Restriction
	}{
		{"khorgos", "CN", 8, 6, Restriction{}}, {"khorgos", "KZ", 8, 6, Restriction{}}, {"brest", "BY", 12, 5, cfg.Restrictions[0]}, {"brest", "PL", 12, 5, Restriction{}},
	} {
		all := passages(d, trips, side.border, side.country)
		if len(all) < 50 {
			t.Fatalf("%s out of %s: %d passages", side.border, side.country, len(all))
		}
		for i, p := range all {
			if i > 0 && float64(p.went-all[i-1].went) < float64(dayMS)/side.perDay-1 {
				t.Errorf("%s out of %s: two trains within %d min, it takes %v a day", side.border, side.country, (p.went-all[i-1].went)/minuteMS, side.perDay)
			}
			if p.went >= side.shut.From.UnixMilli() && !side.shut.From.IsZero() && p.went < side.shut.Until.UnixMilli() {
				t.Errorf("%s out of %s: a train went at %v, while closed", side.border, side.country, time.UnixMilli(p.went).UTC())
			}
			there := 0
			for _, o := range all {
				if o.came <= p.came && o.went > p.came {
					there++
				}
			}
			if there > side.tracks {
				t.Errorf("%s out of %s: %d trains at %v, there are %d tracks", side.border, side.country, there, time.UnixMilli(p.came).UTC(), side.tracks)
			}
			if p.held != 0 {
				held++
			}
		}
		slices.SortFunc(all, func(a, b passage) int { return int(a.held - b.held) })
		all = slices.DeleteFunc(all, func(p passage) bool { return p.held == 0 })
		if side.border == "brest" && side.country == "BY" { // all are held at one station, Baranovichi, and run from there alike
			for i := range all {
				if i > 0 && all[i].came < all[i-1].came-2*hourMS {
					t.Errorf("%s: held at %v, but came before one held earlier", side.border, time.UnixMilli(all[i].held).UTC())
				}
			}
		}
	}
	if held < 50 {
		t.Errorf("%d trains were held upstream: the test shows little", held)
	}
}

// TestClosedBorder: where the catalogue has a border until a day only, no train goes over it from then on.
func TestClosedBorder(t *testing.T) {
	cfg := busyWorld(t)
	b, _ := cfg.Catalog.Border("khorgos")
	b.Valid.To = begin.AddDate(0, 0, 4)
	w, _ := made(t, cfg)
	before := 0
	for _, c := range w.Truth().Crossings {
		if c.Border != "khorgos" {
			continue
		}
		if c.InEntered > 0 && c.InEntered < b.Valid.To.UnixMilli() {
			before++
		}
		if c.OutLeft > b.Valid.To.Add(time.Hour).UnixMilli() && !c.Cut {
			t.Errorf("%s goes over at %v", c.Run, time.UnixMilli(c.OutLeft).UTC())
		}
	}
	if before < 20 {
		t.Errorf("%d crossings before: the test shows little", before)
	}
}

// TestEvents: what is planned is told, with its causes.
func TestEvents(t *testing.T) {
	w, all := made(t, busyWorld(t))
	count := map[string]int{}
	for _, e := range all {
		if e.Time < begin.UnixMilli() {
			t.Fatalf("%s %s at %d, before the start", e.Verb, e.Subject, e.Time)
		}
		what := e.Verb.String()
		if h := e.GetHandover(); h != nil {
			what += " " + h.State.String()
			if (h.State == pb.Handover_REFUSED) != (h.Cause != "") {
				t.Errorf("hand-over %s with cause %q", h.State, h.Cause)
			}
		}
		if h := e.GetHeld(); h != nil && (h.BoundFor == "" || h.Cause == "" || e.Place == "") {
			t.Errorf("held without saying where, for what and why: %v", e)
		}
		if r := e.GetRestriction(); r != nil {
			what += " " + r.Effect
		}
		if a := e.GetActivity(); a != nil && a.State == pb.Activity_STARTED {
			count["activity "+a.Kind]++
		}
		count[what]++
	}
	for _, what := range []string{
		"HELD", "RESUMED", "HANDOVER OFFERED", "HANDOVER ACCEPTED", "HANDOVER REFUSED", "RESTRICTION closed", "RESTRICTION limited", "BORDER_PLAN", "POSITION",
		"activity customs", "activity technical_inspection", "activity commercial_inspection", "activity gauge_change", "activity restricted_entry",
		"activity waiting_locomotive", "activity waiting_wagons", "activity busy_facilities", "activity faulty_equipment", "activity document_errors",
		"activity wagon_repair", "activity marshalling", "activity loading", "activity unloading", "activity priority_trains",
	} {
		if count[what] == 0 {
			t.Errorf("no %s", what)
		}
	}
	approach, refused := 0, 0
	for _, c := range w.Truth().Crossings {
		if !c.Cut && c.Approach > 0 {
			approach++
		}
		refused += c.Refused
	}
	if approach == 0 || refused == 0 {
		t.Errorf("truth: %d crossings with a hold before, %d refusals", approach, refused)
	}
}

// TestMistakes: what cannot be meant is refused.
func TestMistakes(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no duration":       func(c *Config) { c.Duration = 0 },
		"unknown corridor":  func(c *Config) { c.Corridors = []string{"nowhere"} },
		"unknown border":    func(c *Config) { c.Borders = map[string]Capacity{"nowhere": {}} },
		"restricts nothing": func(c *Config) { c.Restrictions[0].Border = "nowhere" },
		"unknown direction": func(c *Config) { c.Restrictions[0].Direction = "PL-DE" },
		"ends before begin": func(c *Config) { c.Restrictions[0].Until = c.Restrictions[0].From },
		"line to nowhere":   func(c *Config) { c.Lines = []Line{{Corridor: "northern", Last: "nowhere", PerDay: 1}} },
		"line the wrong way": func(c *Config) {
			c.Lines = []Line{{Corridor: "northern", First: "by-brest", Last: "by-minsk", PerDay: 1}}
		},
	} {
		cfg := busyWorld(t)
		change(&cfg)
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkWorld makes events: b.N of them.
func BenchmarkWorld(b *testing.B) {
	cfg := busyWorld(b)
	cfg.Duration, cfg.Interval, cfg.Containers, cfg.NoiseM = 100*24*time.Hour, time.Minute, false, 10
	w, err := New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := w.Next(); !ok {
			b.Fatal("the world has ended")
		}
	}
}
