package network

import (
	"testing"
	"time"
)

func TestSource(t *testing.T) {
	c := &Catalog{Sources: []*Source{{ID: "//a", Ahead: -time.Minute, Trust: 0}, {ID: "//c", Trust: 80}}}
	for id, want := range map[string]Source{
		"//a": {"//a", -time.Minute, 0}, "//b": {"//b", 0, DefaultTrust}, "//c": {"//c", 0, 80}, "": {"", 0, DefaultTrust},
	} {
		if got := c.Source(id); got != want {
			t.Errorf("%q: %+v, want %+v", id, got, want)
		}
	}
}

// The catalogue of the program reaches from Duisburg to Xi'an.
func TestCovers(t *testing.T) {
	c, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Places {
		if p.Position == nil {
			continue
		}
		lat, lon := p.Position.Lat, p.Position.Lon
		if !c.Covers(lat, lon) || !c.Covers(lat+2, lon+2) {
			t.Errorf("%s is not covered", p.ID)
		}
		if c.Covers(lat, -lon) || c.Covers(-lat, lon) || c.Covers(-lat, -lon) {
			t.Errorf("%s with a sign lost is covered", p.ID)
		}
	}
	if none := new(Catalog); !none.Covers(-80, -179) {
		t.Error("a catalogue without positions says that a point cannot be")
	}
	if c := boxOf([]*Place{{Position: &Position{Lat: 10, Lon: 179}}}); c.east <= 180 || !(&Catalog{box: c}).Covers(10, -179.5) {
		t.Errorf("beyond the antimeridian: %+v", c)
	}
}
