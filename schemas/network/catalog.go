// Package network is the catalogue: places with their fences, borders with their sides and norms, gauge breaks, sections and
// corridors. It is read from YAML (and places from CSV), embedded or from a directory, and checked as a whole: every mistake is
// named by file and line.
//
// A place is known by its own slug, since most border stations have no UN/LOCODE. A border is an ordered pair of sides, a side a
// list of places. A gauge break is a node of its own and may lie elsewhere than at a border. A section joins two places and has a
// length; a corridor is an ordered list of places, each joined to the next by a section.
package network

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Attribution must be shown where positions of quality "osm" are.
const Attribution = "© OpenStreetMap contributors (ODbL)"

// Fence radii where the catalogue gives none, in metres.
const (
	fenceM            = 1500
	fenceApproximateM = 6000
	defaultMaxSpeed   = 160
)

// Catalog is the whole network. It is not changed after loading.
type Catalog struct {
	Places      []*Place
	Borders     []*Border
	GaugeBreaks []*GaugeBreak
	Areas       []*Area
	Sections    []*Section
	Corridors   []*Corridor

	maxSpeed  float64
	byID      map[string]*Place
	byCode    map[string]*Place // "scheme:code", lower case
	sides     map[string][]BorderSide
	neighbors map[string][]*Section
	hash      string

	mu     sync.Mutex // guards routes
	routes map[routeKey]Route
}

// Validity is when something exists or applies; zero times are open ends.
type Validity struct{ From, To time.Time }

// At tells whether t lies within.
func (v Validity) At(t time.Time) bool {
	return (v.From.IsZero() || !t.Before(v.From)) && (v.To.IsZero() || t.Before(v.To))
}

// Position in degrees, WGS 84. Quality: surveyed, osm, wikipedia, approximate (3 to 5 km).
type Position struct {
	Lat, Lon float64
	Quality  string
}

// Fence is a circle around the position, or a polygon.
type Fence struct {
	RadiusM float64
	Polygon []Position
}

// Place is a station, port, junction or border point.
type Place struct {
	ID, Name string
	Names    map[string]string   // by language or script
	Codes    map[string][]string // by scheme: locode, esr, taf
	Country  string              // ISO 3166-1 alpha-2
	Kinds    []string            // station, junction, hub, border_station, border_point, gauge_break, dry_port, seaport, ferry_port
	Zone     *time.Location
	Gauges   []int     // mm
	Position *Position // nil: seen by reports only
	Fence    Fence
	DwellMed time.Duration // usual stop, an estimate; 0: none
	DwellP95 time.Duration
	Valid    Validity
}

// Is tells whether the place is of a kind.
func (p *Place) Is(kind string) bool { return slices.Contains(p.Kinds, kind) }

// Side is one side of a border: a country and its border stations.
type Side struct {
	Country string
	Places  []string
}

// Border is an ordered pair of sides.
type Border struct {
	ID, Name               string
	A, B                   Side
	GaugeBreak             string
	Customs, Sanitary, Sea bool
	Area                   string
	Norms                  map[string]Norm // by country of the side and role: "KZ inbound"
	Valid                  Validity
}

// Norm is how long a side usually takes, an estimate with its source.
type Norm struct {
	Median time.Duration
	Source string
}

// Norm is the usual time of one side when crossing from a country. side is "outbound" (the side in fromCountry) or "inbound".
func (b *Border) Norm(fromCountry, side string) (time.Duration, bool) {
	country := fromCountry
	if side == "inbound" {
		country = b.A.Country
		if fromCountry == b.A.Country {
			country = b.B.Country
		}
	}
	n, ok := b.Norms[country+" "+side]
	return n.Median, ok
}

// BorderSide is a place's part in a border.
type BorderSide struct {
	Border *Border
	Side   byte // 'A' or 'B'
}

// GaugeBreak is where loads change between gauges.
type GaugeBreak struct {
	ID, Name string
	Places   []string
	From, To int // mm
	Border   string
	Valid    Validity
}

// Area is a connected component of borders and gauge breaks: what one cause can delay.
type Area struct {
	ID, Name                     string
	Places, Borders, GaugeBreaks []string
}

// Section joins two places. It has no direction.
type Section struct {
	ID, From, To string
	Km           float64
	Mode         string // rail, sea, road
	Gauge        int
	Status       string // open, planned, closed
	MaxSpeedKmh  float64
	RunningKmh   float64 // typical speed in motion, an estimate
	Valid        Validity
}

// Corridor is an ordered list of places.
type Corridor struct {
	ID, Name           string
	Places             []string
	Status             string
	ThroughCentralAsia bool
	Valid              Validity
	km                 []float64
}

// Km is the distance of the i-th place from the corridor's beginning.
func (c *Corridor) Km(i int) float64 { return c.km[i] }

// Place finds a place by its slug.
func (c *Catalog) Place(id string) (*Place, bool) { p, ok := c.byID[id]; return p, ok }

// Resolve finds a place by slug or by "scheme:code" (locode:, esr:, taf:, name:, case does not matter).
func (c *Catalog) Resolve(ref string) (*Place, bool) {
	if p, ok := c.byID[ref]; ok {
		return p, true
	}
	p, ok := c.byCode[strings.ToLower(ref)]
	return p, ok
}

// BorderSides lists the borders a place belongs to.
func (c *Catalog) BorderSides(placeID string) []BorderSide { return c.sides[placeID] }

// Border finds a border by its id.
func (c *Catalog) Border(id string) (*Border, bool) {
	for _, b := range c.Borders {
		if b.ID == id {
			return b, true
		}
	}
	return nil, false
}

// Hash names the content: equal catalogues have equal hashes, however they are cut into files.
func (c *Catalog) Hash() string { return c.hash }

// MaxSpeedKmh is what no train exceeds: a fix that needs more from both neighbours is not believed.
func (c *Catalog) MaxSpeedKmh() float64 { return c.maxSpeed }

// DwellNorm is the usual stop at a place, an estimate.
func (c *Catalog) DwellNorm(placeID string) (median, p95 time.Duration, ok bool) {
	p, ok := c.byID[placeID]
	if !ok || p.DwellMed == 0 {
		return 0, 0, false
	}
	return p.DwellMed, p.DwellP95, true
}
