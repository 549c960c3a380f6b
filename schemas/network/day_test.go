package network

import (
	"strings"
	"testing"
	"time"
)

// TestRailwayDay: when days begin and end, also those on which the clocks are changed, and how they are named.
func TestRailwayDay(t *testing.T) {
	for _, c := range []struct{ zone, start, name, want string }{
		{"Asia/Almaty", "18h", "2026-03-10", "2026-03-09 13:00, 2026-03-10 01:00, 2026-03-10 13:00"},
		{"Asia/Almaty", "0h", "2026-03-10", "2026-03-09 19:00, 2026-03-10 07:00, 2026-03-10 19:00"},
		{"Asia/Almaty", "6h", "2026-03-10", "2026-03-10 01:00, 2026-03-10 13:00, 2026-03-11 01:00"},
		{"Asia/Almaty", "12h", "2026-03-10", "2026-03-09 07:00, 2026-03-09 19:00, 2026-03-10 07:00"},
		{"Asia/Tehran", "17h30m", "2026-03-10", "2026-03-09 14:00, 2026-03-10 02:00, 2026-03-10 14:00"},
		{"Europe/Warsaw", "18h", "2026-03-29", "2026-03-28 17:00, 2026-03-29 04:00, 2026-03-29 16:00"}, // the clocks go forward: 23 h
		{"Europe/Warsaw", "1h", "2026-03-29", "2026-03-29 00:00, 2026-03-29 11:00, 2026-03-29 23:00"},
		{"Europe/Warsaw", "6h", "2026-10-25", "2026-10-25 05:00, 2026-10-25 17:00, 2026-10-26 05:00"},
		{"Europe/Warsaw", "18h", "2026-10-25", "2026-10-24 16:00, 2026-10-25 05:00, 2026-10-25 17:00"}, // and back: 25 h
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		start, _ := time.ParseDuration(c.start)
		d := RailwayDay{zone, start}
		from, half, to, err := d.Bounds(c.name)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, at := range []time.Time{from, half, to} {
			got = append(got, at.UTC().Format("2006-01-02 15:04"))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s %s %s: %s, want %s", c.zone, c.start, c.name, got, c.want)
		}
		if d.Of(from) != c.name || d.Of(half) != c.name || d.Of(to.Add(-time.Millisecond)) != c.name || d.Of(to) <= c.name || d.Of(from.Add(-time.Millisecond)) >= c.name {
			t.Errorf("%s %s %s: before it %s, first %s, last %s, after it %s", c.zone, c.start, c.name,
				d.Of(from.Add(-time.Millisecond)), d.Of(from), d.Of(to.Add(-time.Millisecond)), d.Of(to))
		}
	}
	if _, _, _, err := (RailwayDay{time.UTC, DefaultDayStart}).Bounds("2026-02-30"); err == nil {
		t.Error("30 February is a day")
	}
}

// TestDayOfSides: what the catalogue says of days, and what holds where it says nothing; a catalogue that says more has another hash, one
// that writes the default down has not.
func TestDayOfSides(t *testing.T) {
	const places = "places: [{id: iletsk, country: RU, zone: Asia/Yekaterinburg}, {id: orenburg, country: RU}, {id: aktobe, country: KZ}]\n"
	border := func(a string) *Catalog {
		return parsed(t, places+"borders: [{id: b, a: {places: [iletsk, orenburg]"+a+"}, b: {places: aktobe}}]")
	}
	for a, want := range map[string]string{
		"":                      "Asia/Yekaterinburg 18h0m0s",
		", day_start: 18:00":    "Asia/Yekaterinburg 18h0m0s",
		", day_start: 0:00":     "Asia/Yekaterinburg 0s",
		", zone: Europe/Moscow": "Europe/Moscow 18h0m0s",
		", zone: Europe/Moscow, day_start: '17:30'": "Europe/Moscow 17h30m0s",
	} {
		c := border(a)
		b, _ := c.Border("b")
		d := b.DayOf("RU")
		if got := d.Zone.String() + " " + d.Start.String(); got != want {
			t.Errorf("%q: %s, want %s", a, got, want)
		}
		if d := b.DayOf("KZ"); d.Zone.String() != "Asia/Almaty" || d.Start != DefaultDayStart {
			t.Errorf("%q: the other side %v", a, d)
		}
		if same := want == "Asia/Yekaterinburg 18h0m0s"; same != (c.Hash() == border("").Hash()) {
			t.Errorf("%q: hash equal to that of a catalogue that says nothing: %t", a, !same)
		}
	}
	for _, b := range shipped(t).Borders {
		if b.A.Day.Start != DefaultDayStart || b.B.Day.Start != DefaultDayStart {
			t.Errorf("border %s: days begin at %v and %v", b.ID, b.A.Day.Start, b.B.Day.Start)
		}
	}
}
