package network

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func embeddedCatalog(t testing.TB) *Catalog {
	t.Helper()
	c, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestPublishedDistances holds the catalogue against the lengths that railways and the press publish.
func TestPublishedDistances(t *testing.T) {
	c := embeddedCatalog(t)
	f := func(from, to string, km, within float64) {
		t.Helper()
		r, ok := c.Route(from, to, time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC))
		if !ok || math.Abs(r.Km-km) > within*km {
			t.Errorf("%s to %s: %.0f km by %v, published %.0f", from, to, r.Km, r.Places, km)
		}
	}
	f("cn-xian", "cn-khorgos", 3220, 0.02)
	f("kz-altynkol", "kz-aktau", 3128, 0.01)
	f("kz-altynkol", "by-brest", 5430, 0.02)
	f("az-absheron", "tr-kars", 849, 0.05)
	for _, k := range c.Corridors {
		if k.ID == "cku" {
			if km := k.Km(len(k.Places) - 1); km != 523 {
				t.Errorf("China-Kyrgyzstan-Uzbekistan: %v km, published 523", km)
			}
		}
	}
	if _, ok := c.Route("cn-kashgar", "uz-andijan", time.Now()); ok {
		t.Error("the planned railway is open")
	}
}

func TestAreas(t *testing.T) {
	c := embeddedCatalog(t)
	b, _ := c.Border("khorgos")
	for _, a := range c.Areas {
		if a.ID == b.Area && strings.Join(a.Places, " ") != "cn-khorgos kz-altynkol kz-khorgosgw" {
			t.Errorf("area %s: %v", a.ID, a.Places)
		}
	}
	if n, ok := b.Norm("CN", "inbound"); !ok || n != 30*time.Hour {
		t.Errorf("norm of the Kazakh side inbound: %v", n)
	}
	if n, ok := b.Norm("KZ", "outbound"); !ok || n != 6*time.Hour {
		t.Errorf("norm of the Kazakh side outbound: %v", n)
	}
}

func TestCheckDigits(t *testing.T) {
	f := func(valid func(string) bool, id string, want bool) {
		t.Helper()
		if valid(id) != want {
			t.Errorf("%s: got %v", id, !want)
		}
	}
	for _, id := range []string{"CSQU3054383", "MSCU1234566", "BEAU5694302", "KTZU0002000"} {
		f(ValidContainer, id, true)
	}
	f(ValidContainer, "CAIU9876543", false)
	f(ValidWagon12, "218124712173", true)
	f(ValidWagon12, "518008430010", true)
	for _, id := range []string{"60663127", "54263785", "94412053"} {
		f(ValidWagon8, id, true)
	}
	f(ValidWagon8, "94412054", false)
	f(ValidESR, "708507", true)
	f(ValidESR, "708508", false)
}

// TestIndexAgainstBruteForce asks the grid and every fence in turn.
func TestIndexAgainstBruteForce(t *testing.T) {
	c := embeddedCatalog(t)
	x := c.NewIndex()
	rnd := rand.New(rand.NewPCG(1, 2))
	var hits []Hit
	var crossed []Cross
	for range 20_000 {
		p := c.Places[rnd.IntN(len(c.Places))]
		if p.Position == nil {
			continue
		}
		lat, lon := p.Position.Lat+rnd.NormFloat64()*0.05, p.Position.Lon+rnd.NormFloat64()*0.05
		hits = x.At(lat, lon, hits)
		found := 0
		for _, q := range c.Places {
			if q.Position == nil {
				continue
			}
			d := DistanceM(lat, lon, q.Position.Lat, q.Position.Lon)
			in := d <= q.OuterM()
			if math.Abs(d-q.OuterM()) < q.OuterM()*0.005 {
				in = false // too near the edge for the two formulas to agree
				for _, h := range hits {
					in = in || h.Place == q
				}
			}
			if in {
				found++
			}
		}
		if found != len(hits) {
			t.Fatalf("at %.5f, %.5f: index %d fences, brute force %d", lat, lon, len(hits), found)
		}
		lat2, lon2 := lat+rnd.NormFloat64()*0.1, lon+rnd.NormFloat64()*0.1
		crossed = x.Crossed(lat, lon, lat2, lon2, crossed)
		for _, f := range x.fences {
			nearest := math.Inf(1)
			for i := range 201 {
				s := float64(i) / 200
				q := f.local(lat+s*(lat2-lat), lon+s*(lon2-lon))
				nearest = math.Min(nearest, math.Hypot(q.x, q.y))
			}
			if nearest > f.r*1.05 || nearest > f.r*0.95 {
				continue
			}
			ok := false
			for _, k := range crossed {
				ok = ok || k.Place == f.place
			}
			if !ok {
				t.Fatalf("segment passes %s at %.0f m, but the index does not say so", f.place.ID, nearest)
			}
		}
	}
}

func BenchmarkIndexAt(b *testing.B) {
	c := embeddedCatalog(b)
	x := c.NewIndex()
	var hits []Hit
	for i := range b.N {
		p := c.Places[i%len(c.Places)]
		if p.Position != nil {
			hits = x.At(p.Position.Lat+0.01, p.Position.Lon+0.03, hits)
		}
	}
}
