package network

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Source is the profile of a source of events: what is known of it that its events do not say.
type Source struct {
	ID string // the CloudEvents source
	// Ahead is by how much its clock is ahead of UTC; negative: behind. Intake moves the times of its events, and of no others.
	Ahead time.Duration
	// Trust decides where reports of one thing differ: those of the source that is trusted most count. 0 to 100.
	Trust float64
}

// DefaultTrust is that of sources of which nothing is said.
const DefaultTrust = 50

// maxAhead bounds what is believed of a clock: beyond that the source writes a wrong offset from UTC, which is to be mended there.
const maxAhead = 24 * time.Hour

// Source is the profile of a source; of one that the catalogue does not name the default.
func (c *Catalog) Source(id string) Source {
	if i, ok := slices.BinarySearchFunc(c.Sources, id, func(s *Source, id string) int { return cmp.Compare(s.ID, id) }); ok {
		return *c.Sources[i]
	}
	return Source{ID: id, Trust: DefaultTrust}
}

func (l *loader) source(f *fields) {
	s := &Source{ID: f.text("source"), Trust: DefaultTrust}
	if s.ID == "" {
		f.bad(f.at("source"), "name the source as its events do, like //ktz.example/dostyk")
	} else if f.what += " " + s.ID; slices.ContainsFunc(l.c.Sources, func(o *Source) bool { return o.ID == s.ID }) {
		f.bad(f.at("source"), "is there already: remove one")
	}
	if v, ok := f.number("clock_ahead_s"); ok {
		if s.Ahead = time.Duration(math.Round(v*1000)) * time.Millisecond; math.Abs(v) > maxAhead.Seconds() {
			f.bad(f.at("clock_ahead_s"), "clock_ahead_s %v: at most %v; if it writes a wrong offset from UTC, mend that at the source", v, maxAhead.Seconds())
		}
	}
	if v, ok := f.number("trust"); ok {
		if s.Trust = v; v < 0 || v > 100 {
			f.bad(f.at("trust"), "trust %v: write 0 to 100; %d is that of sources not named", v, DefaultTrust)
		}
	}
	if !f.broken {
		l.c.Sources = append(l.c.Sources, s)
	}
}

// offNetworkM is how far from the box around all positions of the catalogue a vehicle of it can be.
const offNetworkM = 300_000

// box is a rectangle of degrees around all positions, with 300 km to spare.
type box struct{ south, north, west, east float64 }

// boxOf is nil where the catalogue has no position.
func boxOf(places []*Place) *box {
	b := &box{south: 90, north: -90, west: 180, east: -180}
	for _, p := range places {
		if p.Position != nil {
			b.south, b.north = min(b.south, p.Position.Lat), max(b.north, p.Position.Lat)
			b.west, b.east = min(b.west, p.Position.Lon), max(b.east, p.Position.Lon)
		}
	}
	if b.south > b.north {
		return nil
	}
	b.south, b.north = b.south-offNetworkM/degM, b.north+offNetworkM/degM
	lon := offNetworkM / (degM * math.Max(math.Cos(max(math.Abs(b.south), math.Abs(b.north))*math.Pi/180), 0.05))
	b.west, b.east = b.west-lon, b.east+lon
	return b
}

// Covers tells whether a point lies within 300 km of the box around all positions of the catalogue: where the sign of a coordinate is
// lost, or latitude and longitude are exchanged, it mostly does not. A box that reaches beyond 180 degrees covers all longitudes.
func (c *Catalog) Covers(lat, lon float64) bool {
	b := c.box
	return b == nil || lat >= b.south && lat <= b.north && (b.west < -180 || b.east > 180 || lon >= b.west && lon <= b.east)
}
