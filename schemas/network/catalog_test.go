package network

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"
)

func shipped(t testing.TB) *Catalog {
	t.Helper()
	c, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func loaded(t testing.TB, dir string) *Catalog {
	t.Helper()
	c, err := LoadDir(filepath.Join("testdata", dir))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var today = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// TestPublishedDistances holds the catalogue against the lengths that railways and the press publish.
func TestPublishedDistances(t *testing.T) {
	c := shipped(t)
	f := func(from, to string, km, within float64) {
		t.Helper()
		r, ok := c.Route(from, to, today)
		if !ok || math.Abs(r.Km-km) > within*km {
			t.Errorf("%s to %s: %.0f km by %v, published %.0f", from, to, r.Km, r.Places, km)
		}
	}
	f("cn-xian", "cn-khorgos", 3220, 0.02)
	f("kz-altynkol", "kz-aktau", 3128, 0)
	f("kz-altynkol", "by-brest", 5430, 0.01)
	f("kz-zhezkazgan", "kz-beyneu", 988, 0)
	f("az-absheron", "tr-kars", 849, 0.02)
	f("cn-xian", "uz-tashkent", 4486, 0.02)
	f("kz-uzen", "ir-gorgan", 928, 0) // the sum of its three published parts
}

func TestPlannedRailway(t *testing.T) {
	c := shipped(t)
	k := c.Corridors[slices.IndexFunc(c.Corridors, func(k *Corridor) bool { return k.ID == "cku" })]
	if km := k.Km(len(k.Places) - 1); k.Status != Planned || km != 523 {
		t.Errorf("%s, %v km, published 523", k.Status, km)
	}
	if i := slices.Index(k.Places, "kg-makmal"); k.Km(i) != 344 {
		t.Errorf("Makmal at km %v, published 344", k.Km(i))
	}
	if r, ok := c.Route("cn-kashgar", "uz-andijan", today); ok {
		t.Errorf("the planned railway is open: %v", r.Places)
	}
}

// TestClosure: Poland closed its border from 12 to 25 September 2025.
func TestClosure(t *testing.T) {
	c := shipped(t)
	f := func(day string, want bool) {
		t.Helper()
		at, err := time.Parse(time.RFC3339, day)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := c.Route("by-minsk", "de-duisburg", at); ok != want {
			t.Errorf("%s: route %v, want %v", day, ok, want)
		}
	}
	f("2025-09-11T23:59:59Z", true)
	f("2025-09-12T00:00:00Z", false)
	f("2025-09-24T23:59:59Z", false)
	f("2025-09-25T00:00:00Z", true)
	f("2025-09-12T00:00:00Z", false) // remembered by period, not by whatever was asked last
}

func TestRoute(t *testing.T) {
	c := shipped(t)
	r, ok := c.Route("kz-aktau", "az-ganja", today)
	if !ok || !slices.Equal(r.Places, []string{"kz-aktau", "az-alat", "az-ganja"}) || len(r.Sections) != 2 || r.Sections[0].Mode != Sea || r.Km != 745 {
		t.Errorf("got %+v", r)
	}
	if r, ok := c.Route("kz-aktau", "kz-aktau", today); !ok || r.Km != 0 || len(r.Places) != 1 {
		t.Errorf("to itself: %+v", r)
	}
	for _, to := range []string{"nowhere", "kz-taraz"} {
		if _, ok := c.Route("kz-aktau", to, today); ok {
			t.Errorf("a route to %s", to)
		}
	}
	if _, ok := c.Route("nowhere", "nowhere", today); ok {
		t.Error("a route from nowhere")
	}
}

// TestRouteConcurrently is for the race detector; all must see the same.
func TestRouteConcurrently(t *testing.T) {
	c := shipped(t)
	want, _ := shipped(t).Route("cn-xian", "de-duisburg", today)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, p := range c.Places {
				c.Route("cn-xian", p.ID, today)
			}
			if r, _ := c.Route("cn-xian", "de-duisburg", today); r.Km != want.Km {
				t.Errorf("%v km, alone %v", r.Km, want.Km)
			}
		})
	}
	wg.Wait()
}

func TestBorders(t *testing.T) {
	c := shipped(t)
	b, _ := c.Border("khorgos")
	f := func(from, side string, want time.Duration) {
		t.Helper()
		if got, ok := b.Norm(from, side); got != want || ok != (want > 0) {
			t.Errorf("from %s, %s: %v, want %v", from, side, got, want)
		}
	}
	f("CN", Outbound, 14*time.Hour)
	f("CN", Inbound, 30*time.Hour)
	f("KZ", Outbound, 6*time.Hour)
	f("KZ", Inbound, 14*time.Hour)
	f("UZ", Inbound, 0)
	for _, b := range c.Borders {
		for key, n := range b.Norms {
			if !n.Estimate || n.Source == "" || n.P95 < n.Median {
				t.Errorf("border %s, %s: %+v", b.ID, key, n)
			}
		}
	}
	sides := c.BorderSides("kz-khorgosgw")
	if len(sides) != 1 || sides[0].Border != b || sides[0].Side != 'B' || b.GaugeBreak != "gauge-khorgos" {
		t.Errorf("Khorgos Gateway: %+v", sides)
	}
	if s := c.BorderSides("ge-akhalkalaki"); s != nil {
		t.Errorf("the gauge break at Akhalkalaki is no border: %v", s)
	}
}

func TestAreas(t *testing.T) {
	c := shipped(t)
	f := func(id, name, places string) {
		t.Helper()
		i := slices.IndexFunc(c.Areas, func(a *Area) bool { return a.ID == id })
		if i < 0 || c.Areas[i].Name != name || strings.Join(c.Areas[i].Places, " ") != places {
			t.Errorf("area %s: %+v", id, c.Areas[max(i, 0)])
		}
	}
	f("khorgos", "Khorgos", "cn-khorgos kz-altynkol kz-khorgosgw")
	f("brest", "Brest", "by-brest pl-malaszewicze pl-terespol")
	f("gauge-makmal", "Makmal", "kg-makmal")
	f("canbaz", "Kartsakhi - Canbaz", "ge-kartsakhi tr-canbaz")
	for _, b := range c.Borders {
		if !slices.ContainsFunc(c.Areas, func(a *Area) bool { return a.ID == b.Area && slices.Contains(a.Borders, b.ID) }) {
			t.Errorf("border %s is in no area", b.ID)
		}
	}
}

func TestResolve(t *testing.T) {
	c := shipped(t)
	f := func(ref, want string) {
		t.Helper()
		p, ok := c.Resolve(ref)
		if ok != (want != "") || ok && p.ID != want {
			t.Errorf("%s: %v", ref, p)
		}
	}
	f("kz-dostyk", "kz-dostyk")
	f("esr:708507", "kz-dostyk")
	f("locode:KZAAU", "kz-aktau")
	f("LOCODE:kzaau", "kz-aktau")
	f("name:dostyk", "kz-dostyk")
	f("name:Достык", "kz-dostyk")
	f("name:DRUZHBA", "kz-dostyk")
	f("name:阿拉山口", "cn-alashankou")
	f("name:Khorgos", "cn-khorgos")
	f("name:", "")
	f("locode:XXXXX", "")
	f("KZ-DOSTYK", "")
	f("", "")
}

// TestAmbiguousName: a name of several places finds the one whose first name it is, else none.
func TestAmbiguousName(t *testing.T) {
	c := parsed(t, `places: [{id: a, name: Arys}, {id: b, name: Arys}, {id: c, name: Shu, aliases: [Tschu]}, {id: d, aliases: [Shu, Tschu]}]`)
	for ref, want := range map[string]string{"name:arys": "", "name:shu": "c", "name:tschu": "", "name:d": "d"} {
		if p, ok := c.Resolve(ref); ok != (want != "") || ok && p.ID != want {
			t.Errorf("%s: got %v, want %q", ref, p, want)
		}
	}
}

func parsed(t testing.TB, files ...string) *Catalog {
	t.Helper()
	fsys := fstest.MapFS{}
	for i, text := range files {
		fsys[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	c, problems, err := load(fsys)
	c, err = whole(c, problems, err)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestHash: equal content has equal hashes, other content another.
func TestHash(t *testing.T) {
	places := "{id: aktau, name: Aktau, country: KZ, at: [43.6, 51.2], codes: {locode: [KZAAU]}, kinds: [seaport, hub]}, {id: alat, country: AZ, at: [40, 49.4]}"
	section := "sections: [{from: aktau, to: alat, km: 445, mode: sea}]"
	base := parsed(t, "places: ["+places+"]\n"+section).Hash()
	if len(base) != 64 {
		t.Fatalf("hash %q", base)
	}
	same := map[string]*Catalog{
		"two files":        parsed(t, section, "places: ["+places+"]"),
		"another order":    parsed(t, "places: [{at: [40, 49.4], country: AZ, id: alat}, {kinds: [hub, seaport], codes: {locode: [KZAAU]}, at: [43.6, 51.2], country: KZ, name: Aktau, id: aktau}]", section),
		"written defaults": parsed(t, "max_speed_kmh: 160\nplaces: ["+strings.Replace(places, "{id: alat", "{id: alat, zone: Asia/Baku, kinds: [station], radius_m: 1500, quality: surveyed, name: alat", 1)+"]", section),
	}
	for name, c := range same {
		if c.Hash() != base {
			t.Errorf("%s: another hash", name)
		}
	}
	for _, change := range [][2]string{{"43.6", "43.61"}, {"KZAAU", "KZAAV"}, {"445", "446"}, {"mode: sea", "mode: road"}, {"seaport, hub", "seaport"}, {"name: Aktau", "name: Aqtau"}} {
		c := parsed(t, strings.Replace("places: ["+places+"]\n"+section, change[0], change[1], 1))
		if c.Hash() == base {
			t.Errorf("%s for %s: the same hash", change[1], change[0])
		}
	}
	if a, b := shipped(t).Hash(), shipped(t).Hash(); a != b {
		t.Errorf("loaded twice: %s, %s", a, b)
	}
}

// TestSmallCatalogue: a table of stations and a line of YAML are enough.
func TestSmallCatalogue(t *testing.T) {
	c := loaded(t, "commuter")
	p, _ := c.Place("22nd-street")
	if p.Zone != time.UTC || !p.Is(Station) || p.Fence.RadiusM != 250 || p.Position.Quality != Surveyed || c.MaxSpeedKmh() != 160 {
		t.Errorf("got %+v", p)
	}
	k := c.Corridors[0]
	if km := k.Km(len(k.Places) - 1); math.Abs(km-13.6) > 0.2 || k.Status != Open {
		t.Errorf("%s: %v km, the great circles sum to 13.5", k.ID, km)
	}
	if _, _, ok := c.DwellNorm("22nd-street"); ok {
		t.Error("a norm that nobody gave")
	}
	if p, ok := c.Resolve("name:22ND STREET"); !ok || p.ID != "22nd-street" {
		t.Errorf("by name: %v", p)
	}
}

func TestShippedPlaces(t *testing.T) {
	c := shipped(t)
	for _, p := range c.Places {
		if p.Country == "" || len(p.Kinds) == 0 || p.Dwell != nil && (!p.Dwell.Estimate || p.Dwell.Source == "") {
			t.Errorf("place %s: %+v", p.ID, p)
		}
		if p.Position != nil && p.Position.Quality == Surveyed {
			t.Errorf("place %s: nobody surveyed it for us", p.ID)
		}
		if want := map[bool]float64{true: 6000, false: 1500}; p.Position != nil && p.ID != "tm-serakhs" && p.Fence.RadiusM != want[p.Position.Quality == Approximate] {
			t.Errorf("place %s: fence of %v m", p.ID, p.Fence.RadiusM)
		}
		_, offset := time.Date(2026, 1, 1, 0, 0, 0, 0, p.Zone).Zone()
		if want, ok := map[string]int{"CN": 8, "KZ": 5, "KG": 6, "UZ": 5, "TM": 5, "AZ": 4, "GE": 4, "TR": 3, "BY": 3, "PL": 1, "DE": 1}[p.Country]; ok && offset != want*3600 {
			t.Errorf("place %s: %d s ahead of UTC", p.ID, offset)
		}
	}
	median, p95, ok := c.DwellNorm("kz-aktau")
	if !ok || median != 48*time.Hour || p95 != 150*time.Hour {
		t.Errorf("Aktau: %v, %v", median, p95)
	}
}

// TestTables holds what people see of a small catalogue against a golden file.
func TestTables(t *testing.T) {
	var got strings.Builder
	if err := loaded(t, "crossing").WriteTables(&got); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "crossing", "tables.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
