package network

import "time"

// States a section, corridor, border or gauge break may be in.
const (
	Open    = "open"
	Planned = "planned"
	Closed  = "closed"
)

// Modes of a section.
const (
	Rail = "rail"
	Sea  = "sea"
	Road = "road"
)

// Section joins two places. It has no direction.
type Section struct {
	ID, From, To string // the id is "from--to" if none is given
	Km           float64
	Estimate     bool   // the length is a straight line, or our own division of a published sum
	Mode         string // rail, sea, road
	Gauge        int    // millimetres, 0 if unknown
	Status       string // open, planned, closed
	MaxSpeedKmh  float64
	RunningKmh   float64 // usual speed in motion, an estimate; 0 if unknown
	Valid        Validity
	Closures     []Closure
}

// Closure is a time for which a section was closed, as published afterwards. What is to be known while it happens is an event
// (network.restriction), not a part of the catalogue.
type Closure struct {
	Validity
	Reason string
}

// OpenAt tells whether trains can use the section at t.
func (s *Section) OpenAt(t time.Time) bool {
	if s.Status != Open || !s.Valid.At(t) {
		return false
	}
	for _, c := range s.Closures {
		if c.At(t) {
			return false
		}
	}
	return true
}

// other is the end that is not id.
func (s *Section) other(id string) string {
	if s.From == id {
		return s.To
	}
	return s.From
}

// Corridor is an ordered list of places, each joined to the next by a section.
type Corridor struct {
	ID, Name           string
	Places             []string
	Status             string // open, planned, closed
	ThroughCentralAsia bool
	Valid              Validity
	km                 []float64
}

// Km is the distance of the i-th place from the corridor's first place.
func (c *Corridor) Km(i int) float64 { return c.km[i] }
