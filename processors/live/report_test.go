package live

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestShiftOf(t *testing.T) {
	day, err := railwayDay("Asia/Almaty", 6*60)
	if err != nil {
		t.Fatal(err)
	}
	for shift, want := range map[string]string{
		"": "2026-03-10 01:00 2026-03-11 01:00", "first": "2026-03-10 01:00 2026-03-10 13:00", "second": "2026-03-10 13:00 2026-03-11 01:00", "third": "a shift is",
	} {
		from, to, err := shiftOf("2026-03-10", shift, day)
		got := from.Format("2006-01-02 15:04") + " " + to.Format("2006-01-02 15:04")
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", shift, got, want)
		}
	}
	if _, _, err := shiftOf("2026-02-30", "", day); err == nil {
		t.Error("30 February is a day")
	}
}

// TestBalance: what counts as on hand, arrived and left, and what keeps a balance from closing.
func TestBalance(t *testing.T) {
	day := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	at := func(hour float64) *time.Time { t := day.Add(time.Duration(hour * float64(time.Hour))); return &t }
	from, to := *at(0), *at(24)
	for _, c := range []struct {
		what    string
		u       sideUnit
		want    string // start arrived left end
		by      int
		because string
	}{
		{"stands through", sideUnit{State: "open", Came: at(-5)}, "1 0 0 1", 0, ""},
		{"came and stays", sideUnit{State: "silent", Came: at(3)}, "0 1 0 1", 0, ""},
		{"came and went", sideUnit{State: "closed", Came: at(3), Went: at(9)}, "0 1 1 0", 0, ""},
		{"went", sideUnit{State: "closed", Came: at(-3), Went: at(9)}, "1 0 1 0", 0, ""},
		{"went at the end", sideUnit{State: "closed", Came: at(-3), Went: at(24)}, "1 0 0 1", 0, ""},
		{"came at the beginning", sideUnit{State: "open", Came: at(0)}, "0 1 0 1", 0, ""},
		{"went before", sideUnit{State: "closed", Came: at(-3), Went: at(-1)}, "0 0 0 0", 0, ""},
		{"nobody saw it come", sideUnit{State: "closed", Went: at(5)}, "0 0 1 0", -1, "nobody saw it come"},
		{"is there, nobody saw it come", sideUnit{State: "open"}, "0 0 0 1", -1, "nobody saw it come"},
		{"nobody saw it go", sideUnit{State: "closed", Came: at(-2), KnownAt: *at(5)}, "1 0 0 0", 1, "nobody saw when"},
		{"lost", sideUnit{State: "lost", Came: at(-400), KnownAt: *at(5)}, "1 0 0 0", 1, "14 days"},
		{"lost later", sideUnit{State: "lost", Came: at(-300), KnownAt: *at(30)}, "1 0 0 1", 0, ""},
		{"clocks that oppose", sideUnit{State: "closed", Came: at(2), Went: at(-1)}, "0 1 0 0", 1, "clocks"},
	} {
		c.u.Unit = "U"
		s := count("outbound", "CN", []sideUnit{c.u}, from, to)
		if got := fmt.Sprint(s.Start, s.Arrived, s.Left, s.End); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
		if c.by == 0 && len(s.Breaks) > 0 || c.by != 0 && (len(s.Breaks) != 1 || s.Breaks[0].By != c.by || !strings.Contains(s.Breaks[0].Why, c.because)) {
			t.Errorf("%s: breaks %v", c.what, s.Breaks)
		}
	}
	// Whatever is told, the balance closes but for the units that are named.
	draw := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		var units []sideUnit
		for i := range 50 {
			u := sideUnit{Unit: fmt.Sprint(i), State: []string{"open", "silent", "lost", "closed", "closed", "closed"}[draw.IntN(6)], KnownAt: *at(draw.Float64()*72 - 24)}
			if draw.IntN(8) > 0 {
				u.Came = at(draw.Float64()*72 - 36)
			}
			if u.State == "closed" && draw.IntN(8) > 0 {
				u.Went = at(draw.Float64()*72 - 24)
			}
			units = append(units, u)
		}
		s := count("inbound", "KZ", units, from, to)
		by := 0
		for _, b := range s.Breaks {
			by += b.By
		}
		if s.Start+s.Arrived-s.Left-s.End != by || len(s.Longest) > 10 {
			t.Fatalf("%+v", s)
		}
	}
}

// TestReport reads a sheet of the story: R1 was handed over, R2 waits to be, R1 waits on the other side.
func TestReport(t *testing.T) {
	ask := story(t)
	tell(t, ask, "INSERT INTO catalogue_borders VALUES ('b', 'The border', 'AA', 'BB', ['east'], ['west'], '', true, false, false, 'area', 'UTC', 1080, 'UTC', 1080)")
	tell(t, ask, `INSERT INTO plans (source, id, verb, subject, time, direction, date, trains, containers) VALUES
		('p', '1', 'plan', 'b', '2026-02-28 12:00:00', 'AA-BB', '2026-03-01', 3, nan), ('p', '2', 'plan', 'b', '2026-02-28 13:00:00', 'AA-BB', '2026-03-01', 4, nan)`)
	sheet, err := ask.Report(t.Context(), "b", "2026-03-01", "", "train")
	if err != nil {
		t.Fatal(err)
	}
	f := sheet.Flows[0]
	if f.Direction != "AA-BB" || !f.Over || f.Planned == nil || *f.Planned != 4 || len(f.Sides) != 2 {
		t.Fatalf("%+v", f)
	}
	for i, want := range []string{"outbound AA 0 2 1 1", "inbound BB 0 1 0 1"} {
		s := f.Sides[i]
		if got := fmt.Sprint(s.Role, " ", s.Country, " ", s.Start, " ", s.Arrived, " ", s.Left, " ", s.End); got != want || len(s.Breaks) > 0 {
			t.Errorf("%s %v, want %s", got, s.Breaks, want)
		}
	}
	if w := f.Sides[1].Longest; len(w) != 1 || w[0].Unit != "R1" || w[0].Seconds != 10*3600 {
		t.Errorf("longest waits inbound at 18:00: %+v", w)
	}
	// The day that goes on ends with stage time, and then as many are on hand as the board says.
	sheet, err = ask.Report(t.Context(), "b", "", "", "train")
	if err != nil || sheet.Day != "2026-03-02" || sheet.Flows[0].Over {
		t.Fatalf("%+v, %v", sheet, err)
	}
	for _, s := range sheet.Flows[0].Sides {
		rows, err := rowsOf[struct{ Waiting int }](t.Context(), ask, "SELECT waiting FROM v_borders_now WHERE border = 'b' AND role = {role:String} AND unit_kind = 'train' AND direction = 'AA-BB'", "role", s.Role)
		if err != nil || len(rows) != 1 || rows[0].Waiting != s.End {
			t.Errorf("%s: %d on hand, the board says %v (%v)", s.Role, s.End, rows, err)
		}
	}
	// The catalogue tells how each side counts: where AA's clocks show 5:00 of 2 March its day of 1 March goes on; BB's of 2 March has begun at
	// midnight, now. In the day of 1 March R1 came before it began, at 5:00, and R2 came in it.
	tell(t, ask, "TRUNCATE TABLE catalogue_borders")
	tell(t, ask, "INSERT INTO catalogue_borders VALUES ('b', 'The border', 'AA', 'BB', ['east'], ['west'], '', true, false, false, 'area', 'Asia/Almaty', 360, 'UTC', 0)")
	sheet, err = ask.Report(t.Context(), "b", "", "", "train")
	if err != nil || sheet.Day != "2026-03-01" {
		t.Fatalf("%+v, %v", sheet, err)
	}
	a, b := sheet.Flows[0], sheet.Flows[1]
	const hour = "2006-01-02 15:04"
	if a.Zone != "Asia/Almaty" || a.From.Format(hour) != "2026-03-01 01:00" || a.To.Format(hour) != "2026-03-02 00:00" || a.Over {
		t.Errorf("AA-BB: %+v", a)
	}
	if b.Zone != "UTC" || b.From.Format(hour) != "2026-03-01 00:00" || b.To.Format(hour) != "2026-03-02 00:00" || !b.Over {
		t.Errorf("BB-AA: %+v", b)
	}
	if s := a.Sides[0]; fmt.Sprint(s.Start, s.Arrived, s.Left, s.End) != "1 1 1 1" {
		t.Errorf("%+v", s)
	}
	sheet, err = ask.Report(t.Context(), "b", "2026-03-02", "", "train")
	if err != nil || !sheet.Flows[0].From.Equal(sheet.Flows[0].To) || sheet.Flows[0].Over {
		t.Errorf("a day that has not begun: %+v, %v", sheet, err)
	}
	for _, wrong := range [][3]string{{"nowhere", "", ""}, {"b", "yesterday", ""}, {"b", "", "third"}} {
		if _, err := ask.Report(t.Context(), wrong[0], wrong[1], wrong[2], "train"); !errors.Is(err, ErrAsked) {
			t.Errorf("%v: %v", wrong, err)
		}
	}
}
