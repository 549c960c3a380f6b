package network

import (
	"fmt"
	"time"
)

// DefaultDayStart is when the railway day begins where the catalogue does not say.
const DefaultDayStart = 18 * time.Hour

// noon is from when on a day is named by the date on which it ends.
const noon = 12 * time.Hour

// RailwayDay says how a railway counts days: by which clocks, and from which hour on. A day that begins at noon or later has the name of
// the date on which it ends, one that begins before noon that of the date on which it begins: its middle always lies on that date.
type RailwayDay struct {
	Zone  *time.Location // the reporting zone, never nil
	Start time.Duration  // by its clocks, from midnight; less than 24 h
}

// Of is the name of the railway day of a moment, as "2026-03-10".
func (d RailwayDay) Of(at time.Time) string {
	t := at.In(d.Zone)
	// Counted by what the clocks show, so that a day on which they are changed begins and ends at its hour, too.
	shown := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	return shown.Add(-d.begins()).Format(time.DateOnly)
}

// Bounds are when a railway day begins and ends, and when its first half of twelve hours by the clocks is over; the end is the beginning of
// the next day. The error is that name is no date.
func (d RailwayDay) Bounds(name string) (from, half, to time.Time, err error) {
	date, err := time.Parse(time.DateOnly, name)
	if err != nil {
		return from, half, to, fmt.Errorf("a railway day is written 2026-03-10, not %q", name)
	}
	at := func(shown time.Time) time.Time {
		return time.Date(shown.Year(), shown.Month(), shown.Day(), shown.Hour(), shown.Minute(), 0, 0, d.Zone)
	}
	begins := date.Add(d.begins())
	return at(begins), at(begins.Add(12 * time.Hour)), at(begins.Add(24 * time.Hour)), nil
}

// begins is when a day begins, from the midnight that begins the date of its name; negative: on the date before.
func (d RailwayDay) begins() time.Duration {
	if d.Start >= noon {
		return d.Start - 24*time.Hour
	}
	return d.Start
}

// DayOf is how days are counted at the border of what leaves a country: by the side that is left. Of a country that is not at this border
// it is that of side A.
func (b *Border) DayOf(fromCountry string) RailwayDay {
	if fromCountry == b.B.Country {
		return b.B.Day
	}
	return b.A.Day
}

// day reads how a side counts days: zone, else that of its first place, and day_start.
func (f *fields) day(first *Place) RailwayDay {
	d := RailwayDay{Zone: time.UTC, Start: DefaultDayStart}
	if first != nil {
		d.Zone = first.Zone
	}
	if zone := f.text("zone"); zone != "" {
		d.Zone = f.zone(zone)
	}
	if s := f.text("day_start"); s != "" {
		t, err := time.Parse("15:04", s)
		if err != nil {
			f.bad(f.at("day_start"), "day_start %q: write when the railway day begins by the clocks of this side, like 18:00", s)
		}
		d.Start = time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	}
	return d
}

// zone finds a time zone by its name.
func (f *fields) zone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		f.bad(f.at("zone"), "zone %q: write a name of the IANA time zone database, like Asia/Almaty", name)
		return time.UTC
	}
	return zone
}
