// Package network is the catalogue: what the world looks like, as far as trains are concerned. Places have fences, so that a position
// becomes "at Dostyk"; borders have two sides, so that a delay becomes "on the Kazakh side"; sections have a length, so that a time
// becomes a speed; corridors put places in an order, so that a move has a direction.
//
// The catalogue is data: YAML files (and places.csv), embedded in the program or read from a directory. They are checked as a whole,
// and every mistake is named by file and line. What the parts mean:
//
//   - A place is known by its own slug, since most border stations have no UN/LOCODE. Without a position it has no fence and is seen
//     by reports only.
//   - A border is an ordered pair of sides, a side a country and a list of places.
//   - A gauge break is a node of its own and may lie elsewhere than at a border.
//   - An area is what one cause can delay: borders and gauge breaks connected by shared places. Areas are computed.
//   - A section joins two places and has no direction. A corridor is an ordered list of places, each joined to the next by a section.
//
// Everything has a validity, and facts use what was valid when they happened. Dates are days in UTC; the last one is exclusive.
package network

import (
	"strings"
	"sync"
	"time"
)

// Attribution must be shown wherever positions of quality "osm" are shown.
const Attribution = "© OpenStreetMap contributors (ODbL)"

// DefaultMaxSpeedKmh is the plausibility limit of a catalogue that sets none: freight lines allow 120 km/h at most.
const DefaultMaxSpeedKmh = 160

// Catalog is the whole network. It does not change after loading and may be shared. Every list is sorted by id, so that equal content
// behaves equally however it is cut into files.
type Catalog struct {
	Places      []*Place
	Borders     []*Border
	GaugeBreaks []*GaugeBreak
	Areas       []*Area
	Sections    []*Section
	Corridors   []*Corridor
	Sources     []*Source // profiles of sources of events

	maxSpeed  float64
	places    map[string]*Place
	borders   map[string]*Border
	codes     map[string]*Place // "scheme:code" in small letters; nil where a name stands for several places
	sides     map[string][]BorderSide
	areaOf    map[string]string // by place
	neighbors map[string][]*Section
	changes   []time.Time // instants at which a section opens or closes, ascending
	hash      string
	box       *box

	mu     sync.RWMutex // guards routes
	routes map[routeKey]Route
}

// Validity is when something exists or applies. Zero times are open ends; To is exclusive.
type Validity struct{ From, To time.Time }

// At tells whether t lies within.
func (v Validity) At(t time.Time) bool {
	return (v.From.IsZero() || !t.Before(v.From)) && (v.To.IsZero() || t.Before(v.To))
}

// Norm is how long something usually takes.
type Norm struct {
	Median, P95 time.Duration // P95 is zero where none is known
	Estimate    bool          // fitted or remembered, not published or agreed
	Source      string
}

// Place finds a place by its slug.
func (c *Catalog) Place(id string) (*Place, bool) {
	p, ok := c.places[id]
	return p, ok
}

// Resolve finds a place by its slug or by "scheme:code": locode:KZKZO, esr:708507, taf:..., or name:Dostyk in any language the
// catalogue has. Case does not matter in codes and names. A name that stands for several places finds none of them.
func (c *Catalog) Resolve(ref string) (*Place, bool) {
	if p, ok := c.places[ref]; ok {
		return p, true
	}
	p := c.codes[ref]
	if p == nil {
		p = c.codes[strings.ToLower(ref)]
	}
	return p, p != nil
}

// Border finds a border by its id.
func (c *Catalog) Border(id string) (*Border, bool) {
	b, ok := c.borders[id]
	return b, ok
}

// BorderSides lists the borders that a place belongs to, by id, and its side there.
func (c *Catalog) BorderSides(placeID string) []BorderSide { return c.sides[placeID] }

// Between is the section that joins two neighbouring places, in either direction; nil if none does.
func (c *Catalog) Between(a, b string) *Section {
	for _, s := range c.neighbors[a] {
		if s.From == b || s.To == b {
			return s
		}
	}
	return nil
}

// Hash names the content, 64 hexadecimal digits: equal content has equal hashes, however it is cut into files, in whatever order its
// keys stand, and whether a default is written down or not.
func (c *Catalog) Hash() string { return c.hash }

// MaxSpeedKmh is what no train exceeds: a fix that needs more from both its neighbours is not believed.
func (c *Catalog) MaxSpeedKmh() float64 { return c.maxSpeed }

// DwellNorm is the usual stop at a place; ok is false where the catalogue has none.
func (c *Catalog) DwellNorm(placeID string) (median, p95 time.Duration, ok bool) {
	p := c.places[placeID]
	if p == nil || p.Dwell == nil {
		return 0, 0, false
	}
	return p.Dwell.Median, p.Dwell.P95, true
}
