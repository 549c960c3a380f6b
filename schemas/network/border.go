package network

import "time"

// Border is a crossing between two countries, an ordered pair of sides. Its directions are "A>B" and "B>A".
type Border struct {
	ID, Name               string
	A, B                   Side
	GaugeBreak             string // id of the gauge break here, empty if there is none
	Customs, Sanitary, Sea bool
	Norms                  map[string]Norm // by country and role: "KZ inbound"
	Status                 string          // open, planned, closed
	Area                   string          // computed
	Valid                  Validity
}

// Side is one side of a border: a country and its border stations, and how its railway counts days.
type Side struct {
	Country string
	Places  []string
	Day     RailwayDay
}

// Roles of a side: a crossing leaves through one side and enters through the other.
const (
	Outbound = "outbound"
	Inbound  = "inbound"
)

// Norm is the usual time on one side when crossing from fromCountry: on that country's own side if side is "outbound", on the other
// one if it is "inbound". ok is false where the catalogue has none, and for a country that is not at this border.
func (b *Border) Norm(fromCountry, side string) (time.Duration, bool) {
	country := fromCountry
	if side == Inbound {
		switch fromCountry {
		case b.A.Country:
			country = b.B.Country
		case b.B.Country:
			country = b.A.Country
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

// GaugeBreak is where loads change between two gauges: by crane or by exchange of bogies.
type GaugeBreak struct {
	ID, Name string
	Places   []string
	From, To int    // millimetres
	Border   string // empty if it is at no border
	Status   string // open, planned, closed
	Valid    Validity
}

// Area is a connected component of borders and gauge breaks: what one cause can delay. Its id is the smallest id of its borders, of
// its gauge breaks where it has no border; so it stays the same when places are added.
type Area struct {
	ID, Name                     string
	Places, Borders, GaugeBreaks []string
}
