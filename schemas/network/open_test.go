package network

import (
	"slices"
	"testing"
	"time"
)

// TestOpenLine: the planned railway can be taken as open from a day on; what was open stays as it was.
func TestOpenLine(t *testing.T) {
	c, before := shipped(t), shipped(t)
	corridor, from, err := ParseLine("cku@2030-01-01")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.OpenLine(corridor, from); err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{"2029-12-31": false, "2030-01-01": true} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := c.Route("cn-kashgar", "uz-andijan", at)
		if ok != want || ok && r.Km != 523 {
			t.Errorf("%s: route %v of %v km, want %v", day, ok, r.Km, want)
		}
	}
	for _, id := range []string{"torugart", "jalalabad"} {
		if b, _ := c.Border(id); b.Status != Open || !b.Valid.From.Equal(from) {
			t.Errorf("border %s: %s from %v", id, b.Status, b.Valid.From)
		}
	}
	if i := slices.IndexFunc(c.GaugeBreaks, func(g *GaugeBreak) bool { return g.ID == "gauge-makmal" }); c.GaugeBreaks[i].Status != Open {
		t.Error("the gauge break at Makmal is not open")
	}
	if c.Hash() == before.Hash() {
		t.Error("the same hash as before: stages would not notice")
	}
	was, _ := before.Border("khorgos")
	if is, _ := c.Border("khorgos"); is.Status != was.Status || is.Valid != was.Valid {
		t.Errorf("Khorgos has changed: %+v", is)
	}
	if err := c.OpenLine("cku", from); err == nil {
		t.Error("opened twice")
	}
	if err := c.OpenLine("nowhere", from); err == nil {
		t.Error("a corridor that there is not was opened")
	}
	if _, _, err := ParseLine("cku@soon"); err == nil {
		t.Error("soon is a day")
	}
}
