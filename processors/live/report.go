package live

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"corridorwatch/schemas/network"
)

// Sheet is the report of a shift or a railway day at one border.
type Sheet struct {
	Border    string    `json:"border"`
	Name      string    `json:"name"`
	UnitKind  string    `json:"unit_kind"`
	Day       string    `json:"day"`        // railway day; when that is differs by flow: it is that of the side that is left
	Shift     string    `json:"shift"`      // first, second; empty: the whole day
	StageTime time.Time `json:"stage_time"` // up to when everything is known
	Flows     []Flow    `json:"flows"`
}

// Flow is one direction of a sheet.
type Flow struct {
	Direction string    `json:"direction"`
	Zone      string    `json:"zone"` // reporting zone of the side that is left: its clocks tell when the day begins
	From      time.Time `json:"from"`
	To        time.Time `json:"to"` // stage time where the day is not over, From where it has not begun
	Over      bool      `json:"over"`
	// Planned is how many trains were agreed for the railway day, whole; nil: nothing is known.
	Planned *float64  `json:"planned"`
	Sides   []Side    `json:"sides"`
	Refused []Refusal `json:"refused"`
	Held    []Held    `json:"held"`

	from, to string // countries
}

// Side is the balance of one side: Start + Arrived - Left = End, or Breaks says which units break it.
type Side struct {
	Role    string  `json:"role"`
	Country string  `json:"country"`
	Start   int     `json:"start"`
	Arrived int     `json:"arrived"`
	Left    int     `json:"left"` // of the outbound side: handed over
	End     int     `json:"end"`
	Breaks  []Break `json:"breaks"`
	Longest []Wait  `json:"longest"` // of those who are there at the end, the longest first, ten at most
}

// Break is a unit that keeps a balance from closing, and by how much: 1 where it was counted in and never out.
type Break struct {
	Unit string `json:"unit"`
	By   int    `json:"by"`
	Why  string `json:"why"`
}

// Wait is how long a unit has been at a side, at the end of the sheet.
type Wait struct {
	Unit    string    `json:"unit"`
	Since   time.Time `json:"since"`
	Seconds int64     `json:"seconds"`
	NormS   *int64    `json:"norm_s"`
	Causes  []Cause   `json:"causes"`
}

// Cause is what time on a side was used for.
type Cause struct {
	Cause   string `json:"cause"`
	Seconds int64  `json:"seconds"`
}

// Refusal is a hand-over that was refused or returned.
type Refusal struct {
	Unit      string    `json:"unit"`
	Direction string    `json:"direction"`
	At        time.Time `json:"at"`
	Step      string    `json:"step"`
	Cause     string    `json:"cause"`
}

// Held is a unit that is held back on its way to the border.
type Held struct {
	Unit    string     `json:"unit"`
	Place   string     `json:"place_name"`
	Country string     `json:"country"`
	Cause   string     `json:"cause"`
	Since   time.Time  `json:"since"`
	Until   *time.Time `json:"until"`
}

// Shifts are the parts of a railway day that a sheet may be asked for.
var Shifts = []string{"", "first", "second"}

// shiftOf is when a shift of a railway day is; a shift has twelve hours.
func shiftOf(name, shift string, day network.RailwayDay) (from, to time.Time, err error) {
	begins, half, ends, err := day.Bounds(name)
	switch {
	case err != nil:
	case shift == "":
		from, to = begins, ends
	case shift == "first":
		from, to = begins, half
	case shift == "second":
		from, to = half, ends
	default:
		err = fmt.Errorf("a shift is first or second, not %q", shift)
	}
	return from.UTC(), to.UTC(), err
}

// sideUnit is a row of the query side_units.
type sideUnit struct {
	Unit, Direction, Role, Country, State string
	Came, Went                            *time.Time
	KnownAt                               time.Time `json:"known_at"`
	NormS                                 *int64    `json:"norm_s"`
	Causes                                []Cause
}

// in tells whether a unit was there in some time, or may have been: until it was known to be gone, where nobody saw it go.
func (u sideUnit) in(from, to time.Time) bool {
	came := u.Came == nil || u.Came.Before(to) || u.Went != nil && u.Went.Before(to)
	there := u.State == "open" || u.State == "silent"
	return came && (u.Went != nil && !u.Went.Before(from) || u.Went == nil && (there || !u.KnownAt.Before(from)))
}

// longest is how many of the longest waits are told.
const longest = 10

// count adds up a side from the units that were there between from and to.
func count(role, country string, units []sideUnit, from, to time.Time) Side {
	s := Side{Role: role, Country: country, Breaks: []Break{}, Longest: []Wait{}}
	within := func(t *time.Time) bool { return t != nil && !t.Before(from) && t.Before(to) }
	for _, u := range units {
		there := u.State == "open" || u.State == "silent"
		unseen := !there && u.Went == nil // it is gone, or lost, and nobody knows since when
		start := u.Came != nil && u.Came.Before(from) && (u.Went == nil || !u.Went.Before(from))
		end := (u.Came == nil || u.Came.Before(to)) && (there || u.Went != nil && !u.Went.Before(to) || unseen && !u.KnownAt.Before(to))
		if u.Came == nil && !there && !within(u.Went) {
			continue // it may have been there, and nothing says so
		}
		by := 0
		for _, c := range []struct {
			counts bool
			into   *int
			by     int
		}{{start, &s.Start, 1}, {within(u.Came), &s.Arrived, 1}, {within(u.Went), &s.Left, -1}, {end, &s.End, -1}} {
			if c.counts {
				*c.into++
				by += c.by
			}
		}
		if by != 0 {
			s.Breaks = append(s.Breaks, Break{u.Unit, by, why(u)})
		}
		if end && u.Came != nil {
			s.Longest = append(s.Longest, Wait{Unit: u.Unit, Since: *u.Came, Seconds: int64(to.Sub(*u.Came).Seconds()), NormS: u.NormS, Causes: u.Causes})
		}
	}
	slices.SortFunc(s.Breaks, func(a, b Break) int { return cmp.Compare(a.Unit, b.Unit) })
	slices.SortFunc(s.Longest, func(a, b Wait) int { return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Unit, b.Unit)) })
	s.Longest = s.Longest[:min(longest, len(s.Longest))]
	return s
}

func why(u sideUnit) string {
	switch {
	case u.Came == nil && u.Went == nil:
		return "it is there, and nobody saw it come"
	case u.Came == nil:
		return "it left, and nobody saw it come"
	case u.Went == nil && u.State == "lost":
		return "nothing was heard of it for 14 days"
	case u.Went == nil:
		return "it is gone, and nobody saw when"
	}
	return "it left before it came, by clocks that oppose"
}
