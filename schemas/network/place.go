package network

import (
	"math"
	"slices"
	"time"
)

// Kinds a place may have; a place may have several.
const (
	Station       = "station" // what a place is if nothing else is said
	Junction      = "junction"
	Hub           = "hub"
	BorderStation = "border_station"
	BorderPoint   = "border_point"
	GaugeChange   = "gauge_break"
	DryPort       = "dry_port"
	Seaport       = "seaport"
	FerryPort     = "ferry_port"
)

func kinds() []string {
	return []string{Station, Junction, Hub, BorderStation, BorderPoint, GaugeChange, DryPort, Seaport, FerryPort}
}

// How good a position is.
const (
	Surveyed    = "surveyed"    // the owner of the catalogue vouches for it
	OSM         = "osm"         // OpenStreetMap
	Wikipedia   = "wikipedia"   //
	Approximate = "approximate" // good to 3 to 5 km
)

func qualities() []string { return []string{Surveyed, OSM, Wikipedia, Approximate} }

// Radii of fences where the catalogue gives none, in metres.
const (
	FenceM            = 1500
	FenceApproximateM = 6000
	maxFenceM         = 50_000 // beyond it the flat geometry of Index would be wrong by more than half a percent
)

// Place is a station, port, junction or border point.
type Place struct {
	ID, Name string
	Names    map[string]string   // further names by language ("ru", "zh")
	Aliases  []string            // former names, and stations that belong to it
	Codes    map[string][]string // by scheme: locode, esr, taf
	Country  string              // ISO 3166-1 alpha-2; empty if the catalogue does not care
	Kinds    []string
	Zone     *time.Location // the zone of its clocks, never nil
	Gauges   []int          // millimetres; empty if the catalogue does not care
	Position *Position      // nil: no fence, seen by reports only
	Fence    Fence
	Dwell    *Norm // usual stop; nil: unknown
	Valid    Validity
}

// Position is a point in degrees, WGS 84.
type Position struct {
	Lat, Lon float64
	Quality  string // surveyed, osm, wikipedia, approximate
}

// Fence is a circle around the position or, if there are corners, a polygon. A polygon's RadiusM is that of a circle of its area.
type Fence struct {
	RadiusM float64
	Polygon []Position
}

// Is tells whether the place is of a kind.
func (p *Place) Is(kind string) bool { return slices.Contains(p.Kinds, kind) }

// MarginM is how far the outer edge of the fence lies beyond the inner one: a tenth of the radius, at least 20 m. A unit has entered
// when it is within the inner edge, and has left when it is beyond the outer one; so a fix that jitters at an edge does neither.
func (p *Place) MarginM() float64 { return math.Max(p.Fence.RadiusM/10, 20) }

// OuterM is the radius of the outer edge.
func (p *Place) OuterM() float64 { return p.Fence.RadiusM + p.MarginM() }
