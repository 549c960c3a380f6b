package network

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// scattered is a catalogue of overlapping circles and polygons around one point.
func scattered(t testing.TB, rnd *rand.Rand, lat, lon float64) *Catalog {
	t.Helper()
	var b strings.Builder
	b.WriteString("places:\n")
	for i := range 60 {
		la, lo := lat+rnd.NormFloat64()*0.3, lon+rnd.NormFloat64()*0.3
		lo = math.Mod(lo+540, 360) - 180
		if i%3 != 0 {
			fmt.Fprintf(&b, "  - {id: p%d, at: [%v, %v], radius_m: %v}\n", i, la, lo, 50+rnd.Float64()*20_000)
			continue
		}
		fmt.Fprintf(&b, "  - {id: p%d, at: [%v, %v], polygon: [", i, la, lo)
		for k := range 3 + rnd.IntN(5) {
			angle, r := float64(k)/8*2*math.Pi+rnd.Float64()*0.5, 0.01+rnd.Float64()*0.1
			fmt.Fprintf(&b, "[%v, %v], ", la+r*math.Sin(angle), math.Mod(lo+r*math.Cos(angle)+540, 360)-180)
		}
		b.WriteString("]}\n")
	}
	return parsed(t, b.String())
}

// around are the centres at which the index is tried: the network, the equator, the far north and the date line.
var around = [][2]float64{{44, 80}, {0, 10}, {-33.5, 18.5}, {78, 15}, {52, 180}, {-17, -179.95}}

// TestAtAgainstBruteForce asks the grid and every fence in turn.
func TestAtAgainstBruteForce(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	hits := 0
	for _, centre := range around {
		c := scattered(t, rnd, centre[0], centre[1])
		x := c.NewIndex()
		var buf []Hit
		for range 5000 {
			lat, lon := centre[0]+rnd.NormFloat64()*0.4, centre[1]+rnd.NormFloat64()*0.4
			lon = math.Mod(lon+540, 360) - 180
			var want []Hit
			for _, p := range c.Places {
				if h, ok := newFence(p).hit(lat, lon); ok {
					want = append(want, h)
				}
			}
			slices.SortFunc(want, func(a, b Hit) int { return cmp.Or(cmp.Compare(a.Norm, b.Norm), cmp.Compare(a.Place.ID, b.Place.ID)) })
			if buf = x.At(lat, lon, buf); !slices.Equal(buf, want) {
				t.Fatalf("at %v, %v: got %v, want %v", lat, lon, buf, want)
			}
			hits += len(buf)
		}
	}
	if hits < 5000 {
		t.Errorf("only %d hits: the test looks beside the fences", hits)
	}
}

// TestHitAgainstGreatCircle holds the flat geometry against the sphere: circles of the largest radius at high latitude are wrong by
// less than a percent, those of the shipped catalogue by less than a thousandth.
func TestHitAgainstGreatCircle(t *testing.T) {
	f := func(lat, radius, within float64) {
		t.Helper()
		p := &Place{Position: &Position{Lat: lat, Lon: 60}, Fence: Fence{RadiusM: radius}}
		fence := newFence(p)
		worst := 0.0
		for i := range 3600 {
			angle := float64(i) * math.Pi / 1800
			q := xy{math.Cos(angle) * radius, math.Sin(angle) * radius}
			d := DistanceM(lat, 60, lat+q.y/fence.mLat, 60+q.x/fence.mLon)
			worst = max(worst, math.Abs(d-radius)/radius)
		}
		if worst > within {
			t.Errorf("radius %v at latitude %v: wrong by %.5f", radius, lat, worst)
		}
	}
	f(37, 6000, 0.001)
	f(55, 6000, 0.001)
	f(55, maxFenceM, 0.01)
	if d := DistanceM(43.60, 51.22, 39.9764, 49.4408); math.Abs(d/1000-429) > 1 {
		t.Errorf("Aktau to Alat: %.1f km, published 429", d/1000)
	}
	if d := DistanceM(10, 179.9, 10, -179.9); math.Abs(d-21_902) > 5 {
		t.Errorf("over the date line: %.0f m", d)
	}
}

// TestCrossedAgainstSteps walks along segments in small steps and asks for the fences on the way.
func TestCrossedAgainstSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	crossings := 0
	for _, centre := range around {
		c := scattered(t, rnd, centre[0], centre[1])
		x := c.NewIndex()
		var buf []Cross
		for n := range 120 {
			reach := []float64{0.02, 0.2, 3}[n%3]
			lat1, lon1 := centre[0]+rnd.NormFloat64()*0.3, math.Mod(centre[1]+rnd.NormFloat64()*0.3+540, 360)-180
			dLat, dLon := rnd.NormFloat64()*reach, rnd.NormFloat64()*reach
			lat2, lon2 := lat1+dLat, math.Mod(lon1+dLon+540, 360)-180
			buf = x.Crossed(lat1, lon1, lat2, lon2, buf)
			crossings += len(buf)
			if !slices.IsSortedFunc(buf, func(a, b Cross) int { return cmp.Or(cmp.Compare(a.In, b.In), cmp.Compare(a.Place.ID, b.Place.ID)) }) {
				t.Fatalf("not in order: %v", buf)
			}
			for _, p := range c.Places {
				compareSteps(t, newFence(p), segment{lat1, lon1, dLat, dLon}, buf)
			}
		}
	}
	if crossings < 500 {
		t.Errorf("only %d crossings: the test looks beside the fences", crossings)
	}
}

// compareSteps finds the first and last of five hundred steps within the fence.
func compareSteps(t *testing.T, f *fence, s segment, got []Cross) {
	t.Helper()
	const steps = 500
	first, last := -1.0, -1.0
	for i := range steps + 1 {
		at := float64(i) / steps
		if h, ok := f.hit(s.lat+at*s.dLat, math.Mod(s.lon+at*s.dLon+540, 360)-180); ok && h.Inner {
			if first < 0 {
				first = at
			}
			last = at
		}
	}
	i := slices.IndexFunc(got, func(c Cross) bool { return c.Place == f.place })
	switch {
	case first < 0 && i >= 0 && got[i].Out-got[i].In > 2.0/steps && f.poly == nil:
		t.Fatalf("%s: crossed from %v to %v, but no step lies within", f.place.ID, got[i].In, got[i].Out)
	case first >= 0 && i < 0:
		t.Fatalf("%s: steps from %v to %v lie within, but it is not crossed", f.place.ID, first, last)
	case first >= 0 && (got[i].In > first+1e-9 || got[i].Out < last-1e-9 || f.poly == nil && (got[i].In < first-1.0/steps || got[i].Out > last+1.0/steps)):
		t.Fatalf("%s: crossed from %v to %v, steps within from %v to %v", f.place.ID, got[i].In, got[i].Out, first, last)
	}
}

func TestEdges(t *testing.T) {
	c := parsed(t, `places: [{id: yard, at: [45, 80], radius_m: 1000, polygon: [[44.99, 79.99], [44.99, 80.01], [45.01, 80.01], [45.01, 79.99]]}, {id: town, at: [45, 80], radius_m: 5000}, {id: halt, at: [46, 80], radius_m: 100}]`)
	x := c.NewIndex()
	f := func(lat, lon float64, want string) {
		t.Helper()
		got := ""
		for _, h := range x.At(lat, lon, nil) {
			got += fmt.Sprintf("%s %v %.0f; ", h.Place.ID, h.Inner, h.DistM)
		}
		if strings.TrimSuffix(got, "; ") != want {
			t.Errorf("at %v, %v: got %q, want %q", lat, lon, got, want)
		}
	}
	f(45, 80, "yard true -786; town true 0")        // the nearest edge of the yard is the eastern or western one
	f(45.0105, 80, "yard false 56; town true 1168") // beyond the yard, within its margin of 100 m
	f(45.012, 80, "town true 1334")                 // beyond both
	f(46.0009, 80, "halt false 100")                // a hair beyond 100 m
	f(46.00107, 80, "halt false 119")               // within 100 + 20
	f(46.00109, 80, "")                             // beyond
	f(math.NaN(), 80, "")                           // not on Earth
	f(45, math.Inf(1), "")                          //
	f(91, 80, "")                                   //
	f(90, 180, "")                                  // the pole is, and nothing is there
	if got := x.Crossed(math.NaN(), 0, 1, 1, nil); len(got) > 0 {
		t.Errorf("crossed from nowhere: %v", got)
	}
	if got := x.Crossed(46, 80, 46, 80, nil); len(got) != 1 || got[0].In != 0 || got[0].Out != 1 {
		t.Errorf("standing inside: %v", got)
	}
}

func TestNoAllocations(t *testing.T) {
	x := shipped(t).NewIndex()
	hits, crossed := make([]Hit, 0, 8), make([]Cross, 0, 8)
	n := testing.AllocsPerRun(1000, func() {
		hits = x.At(44.1971, 80.2441, hits)
		crossed = x.Crossed(44.1, 80.2, 44.3, 60, crossed)
		crossed = x.Crossed(44.1, 80.2, 44.3, 80.4, crossed)
	})
	if n != 0 || len(hits) != 2 || len(crossed) == 0 {
		t.Errorf("%v allocations, %d hits, %d crossed", n, len(hits), len(crossed))
	}
}

func BenchmarkIndex(b *testing.B) {
	x := shipped(b).NewIndex()
	hits, crossed := make([]Hit, 0, 8), make([]Cross, 0, 8)
	b.Run("At/between", func(b *testing.B) {
		for b.Loop() {
			hits = x.At(46.1, 73.5, hits)
		}
	})
	b.Run("At/one", func(b *testing.B) {
		for b.Loop() {
			hits = x.At(42.4325, 68.8135, hits)
		}
	})
	b.Run("At/two", func(b *testing.B) {
		for b.Loop() {
			hits = x.At(44.1971, 80.2441, hits)
		}
	})
	points := make([][2]float64, 4096)
	rnd := rand.New(rand.NewPCG(5, 6))
	for i := range points {
		points[i] = [2]float64{36 + rnd.Float64()*20, 7 + rnd.Float64()*100}
	}
	b.Run("At/anywhere", func(b *testing.B) {
		i := 0
		for b.Loop() {
			hits = x.At(points[i&4095][0], points[i&4095][1], hits)
			i++
		}
	})
	b.Run("Crossed/minute", func(b *testing.B) {
		for b.Loop() {
			crossed = x.Crossed(44.20, 80.24, 44.205, 80.25, crossed)
		}
	})
	b.Run("Crossed/gap", func(b *testing.B) {
		for b.Loop() {
			crossed = x.Crossed(44.20, 80.24, 42, 69, crossed)
		}
	})
}
