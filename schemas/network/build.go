package network

import (
	"cmp"
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"
	"time"
)

var (
	slug    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	country = regexp.MustCompile(`^[A-Z]{2}$`)
)

// zones by country, where a place names none. Kazakhstan has one zone since 1 March 2024, China one for all.
var zones = map[string]string{
	"CN": "Asia/Shanghai", "KZ": "Asia/Almaty", "UZ": "Asia/Tashkent", "TM": "Asia/Ashgabat", "KG": "Asia/Bishkek", "IR": "Asia/Tehran",
	"AZ": "Asia/Baku", "GE": "Asia/Tbilisi", "TR": "Europe/Istanbul", "RU": "Europe/Moscow", "BY": "Europe/Minsk", "PL": "Europe/Warsaw",
	"DE": "Europe/Berlin", "RO": "Europe/Bucharest", "BG": "Europe/Sofia",
}

var kinds = []string{"station", "junction", "hub", "border_station", "border_point", "gauge_break", "dry_port", "seaport", "ferry_port"}

func (l *loader) build() *Catalog {
	c := &Catalog{maxSpeed: cmp.Or(l.maxSpeed, defaultMaxSpeed), byID: map[string]*Place{}, byCode: map[string]*Place{},
		sides: map[string][]BorderSide{}, neighbors: map[string][]*Section{}, routes: map[routeKey]Route{}}
	for _, e := range l.places {
		l.place(c, e)
	}
	for _, e := range l.sections {
		l.section(c, e)
	}
	for _, e := range l.borders {
		l.border(c, e)
	}
	for _, e := range l.breaks {
		l.gaugeBreak(c, e)
	}
	for _, e := range l.corridors {
		l.corridor(c, e)
	}
	slices.SortFunc(c.Places, func(a, b *Place) int { return strings.Compare(a.ID, b.ID) })
	c.Areas = areas(c)
	for _, e := range l.areas {
		l.area(c, e)
	}
	c.hash = hashOf(l)
	return c
}

func (l *loader) place(c *Catalog, e entry[placeYAML]) {
	y := e.val
	bad := func(format string, args ...any) { l.bad(e.file, e.line, format, args...) }
	if !slug.MatchString(y.ID) {
		bad("place id %q: use small letters, digits and hyphens, like kz-dostyk", y.ID)
		return
	}
	if c.byID[y.ID] != nil {
		bad("place %s is there twice: give one of them another id", y.ID)
		return
	}
	p := &Place{ID: y.ID, Name: cmp.Or(y.Name, y.ID), Names: y.Names, Codes: y.Codes, Country: y.Country, Kinds: y.Kinds, Gauges: y.Gauges,
		Valid: l.validity(e.file, e.line, y.validYAML)}
	if len(p.Kinds) == 0 {
		p.Kinds = []string{"station"}
	}
	for _, k := range p.Kinds {
		if !slices.Contains(kinds, k) {
			bad("place %s: kind %q is none of %s", y.ID, k, strings.Join(kinds, ", "))
		}
	}
	if y.Country != "" && !country.MatchString(y.Country) {
		bad("place %s: country %q: use the two capital letters of ISO 3166, like KZ", y.ID, y.Country)
	}
	zone, err := time.LoadLocation(cmp.Or(y.Zone, zones[y.Country], "UTC"))
	if err != nil {
		bad("place %s: zone %q: use an IANA name like Asia/Almaty", y.ID, y.Zone)
	}
	p.Zone = zone
	l.position(p, e)
	p.DwellMed = hours(y.DwellH)
	p.DwellP95 = hours(cmp.Or(y.DwellP95H, 2*y.DwellH))
	c.Places = append(c.Places, p)
	c.byID[p.ID] = p
	l.codes(c, p, e)
}

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

func (l *loader) position(p *Place, e entry[placeYAML]) {
	y := e.val
	if y.At == nil {
		return
	}
	if len(y.At) != 2 || math.Abs(y.At[0]) > 90 || math.Abs(y.At[1]) > 180 || math.IsNaN(y.At[0]+y.At[1]) || y.At[0] == 0 && y.At[1] == 0 {
		l.bad(e.file, e.line, "place %s: at %v: write [latitude, longitude] in degrees", p.ID, y.At)
		return
	}
	quality := cmp.Or(y.Quality, "surveyed")
	if !slices.Contains([]string{"surveyed", "osm", "wikipedia", "approximate"}, quality) {
		l.bad(e.file, e.line, "place %s: quality %q is none of surveyed, osm, wikipedia, approximate", p.ID, quality)
	}
	p.Position = &Position{Lat: y.At[0], Lon: y.At[1], Quality: quality}
	p.Fence.RadiusM = y.RadiusM
	if y.RadiusM == 0 {
		p.Fence.RadiusM = fenceM
		if quality == "approximate" {
			p.Fence.RadiusM = fenceApproximateM
		}
	}
	if y.RadiusM < 0 || y.RadiusM > 100_000 {
		l.bad(e.file, e.line, "place %s: radius_m %v: choose 1 to 100000", p.ID, y.RadiusM)
	}
	for _, v := range y.Polygon {
		if len(v) != 2 {
			l.bad(e.file, e.line, "place %s: polygon corner %v: write [latitude, longitude]", p.ID, v)
			return
		}
		p.Fence.Polygon = append(p.Fence.Polygon, Position{Lat: v[0], Lon: v[1]})
	}
	if n := len(p.Fence.Polygon); n == 1 || n == 2 {
		l.bad(e.file, e.line, "place %s: a polygon needs three corners or more", p.ID)
	}
}

func (l *loader) codes(c *Catalog, p *Place, e entry[placeYAML]) {
	set := func(code string) {
		code = strings.ToLower(code)
		if other := c.byCode[code]; other != nil && other != p && !strings.HasPrefix(code, "name:") {
			l.bad(e.file, e.line, "place %s: %s belongs to %s already", p.ID, code, other.ID)
			return
		}
		if c.byCode[code] == nil {
			c.byCode[code] = p
		}
	}
	for _, scheme := range sortedKeys(p.Codes) {
		for _, code := range p.Codes[scheme] {
			set(scheme + ":" + code)
			if scheme == "esr" && !ValidESR(code) {
				l.bad(e.file, e.line, "place %s: ESR code %s fails its check digit", p.ID, code)
			}
		}
	}
	set("name:" + p.Name)
	for _, lang := range sortedKeys(p.Names) {
		set("name:" + p.Names[lang])
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

func (l *loader) known(c *Catalog, file string, line int, what string, ids ...string) bool {
	ok := true
	for _, id := range ids {
		if c.byID[id] == nil {
			l.bad(file, line, "%s names place %q, which the catalogue lacks", what, id)
			ok = false
		}
	}
	return ok
}

func status(l *loader, file string, line int, s string) string {
	s = cmp.Or(s, "open")
	if s != "open" && s != "planned" && s != "closed" {
		l.bad(file, line, "status %q is none of open, planned, closed", s)
	}
	return s
}

func (l *loader) section(c *Catalog, e entry[sectionYAML]) {
	y := e.val
	s := &Section{ID: y.From + "--" + y.To, From: y.From, To: y.To, Km: y.Km, Mode: cmp.Or(y.Mode, "rail"), Gauge: y.Gauge,
		Status: status(l, e.file, e.line, y.Status), MaxSpeedKmh: y.MaxKmh, RunningKmh: y.RunningKmh, Valid: l.validity(e.file, e.line, y.validYAML)}
	if !l.known(c, e.file, e.line, "section", y.From, y.To) {
		return
	}
	if y.Km <= 0 || y.Km > 10_000 {
		l.bad(e.file, e.line, "section %s: km %v: give its length", s.ID, y.Km)
	}
	if !slices.Contains([]string{"rail", "sea", "road"}, s.Mode) {
		l.bad(e.file, e.line, "section %s: mode %q is none of rail, sea, road", s.ID, s.Mode)
	}
	for _, o := range c.neighbors[y.From] {
		if o.From == y.From && o.To == y.To || o.From == y.To && o.To == y.From {
			l.bad(e.file, e.line, "section %s is there twice", s.ID)
		}
	}
	for _, id := range []string{y.From, y.To} {
		if g := c.byID[id].Gauges; s.Mode == "rail" && s.Gauge != 0 && len(g) > 0 && !slices.Contains(g, s.Gauge) {
			l.bad(e.file, e.line, "section %s has gauge %d, but %s has %v", s.ID, s.Gauge, id, g)
		}
	}
	c.Sections = append(c.Sections, s)
	c.neighbors[s.From] = append(c.neighbors[s.From], s)
	c.neighbors[s.To] = append(c.neighbors[s.To], s)
}

func (l *loader) border(c *Catalog, e entry[borderYAML]) {
	y := e.val
	b := &Border{ID: y.ID, Name: cmp.Or(y.Name, y.ID), A: Side(y.A), B: Side(y.B), GaugeBreak: y.GaugeBreak, Customs: y.Customs,
		Sanitary: y.Sanitary, Sea: y.Sea, Norms: map[string]Norm{}, Valid: l.validity(e.file, e.line, y.validYAML)}
	bad := func(format string, args ...any) { l.bad(e.file, e.line, format, args...) }
	if !slug.MatchString(y.ID) {
		bad("border id %q: use small letters, digits and hyphens", y.ID)
	}
	if o, _ := c.Border(y.ID); o != nil {
		bad("border %s is there twice", y.ID)
	}
	if y.A.Country == y.B.Country {
		bad("border %s: both sides are %s", y.ID, y.A.Country)
	}
	for i, s := range []Side{b.A, b.B} {
		if len(s.Places) == 0 {
			bad("border %s: side %s has no places", y.ID, s.Country)
		}
		if !l.known(c, e.file, e.line, "border "+y.ID, s.Places...) {
			return
		}
		for _, id := range s.Places {
			if p := c.byID[id]; p.Country != s.Country {
				bad("border %s: place %s is in %s, not in %s", y.ID, id, p.Country, s.Country)
			}
			c.sides[id] = append(c.sides[id], BorderSide{b, "AB"[i]})
		}
	}
	for _, key := range sortedKeys(y.NormsH) {
		cc, role, _ := strings.Cut(key, " ")
		if cc != b.A.Country && cc != b.B.Country || role != "inbound" && role != "outbound" {
			bad("border %s: norm %q: write COUNTRY inbound or COUNTRY outbound with one of its countries", y.ID, key)
		}
		b.Norms[key] = Norm{hours(y.NormsH[key]), cmp.Or(y.NormSource, "estimate")}
	}
	c.Borders = append(c.Borders, b)
}

func (l *loader) gaugeBreak(c *Catalog, e entry[breakYAML]) {
	y := e.val
	if !l.known(c, e.file, e.line, "gauge break "+y.ID, y.Places...) {
		return
	}
	if y.Border != "" {
		if b, _ := c.Border(y.Border); b == nil {
			l.bad(e.file, e.line, "gauge break %s names border %q, which the catalogue lacks", y.ID, y.Border)
		} else {
			b.GaugeBreak = y.ID
		}
	}
	if y.From == 0 || y.To == 0 || y.From == y.To {
		l.bad(e.file, e.line, "gauge break %s: from %d to %d: give two gauges in mm", y.ID, y.From, y.To)
	}
	c.GaugeBreaks = append(c.GaugeBreaks, &GaugeBreak{ID: y.ID, Name: cmp.Or(y.Name, y.ID), Places: y.Places, From: y.From, To: y.To,
		Border: y.Border, Valid: l.validity(e.file, e.line, y.validYAML)})
}

func (l *loader) corridor(c *Catalog, e entry[corridorYAML]) {
	y := e.val
	k := &Corridor{ID: y.ID, Name: cmp.Or(y.Name, y.ID), Places: y.Places, Status: status(l, e.file, e.line, y.Status),
		ThroughCentralAsia: y.CentralAsia, Valid: l.validity(e.file, e.line, y.validYAML)}
	if !l.known(c, e.file, e.line, "corridor "+y.ID, y.Places...) {
		return
	}
	if len(y.Places) < 2 {
		l.bad(e.file, e.line, "corridor %s: name two places or more", y.ID)
		return
	}
	k.km = []float64{0}
	for i := 1; i < len(y.Places); i++ {
		s := c.Between(y.Places[i-1], y.Places[i])
		if s == nil {
			l.bad(e.file, e.line, "corridor %s: no section joins %s and %s", y.ID, y.Places[i-1], y.Places[i])
			return
		}
		if k.Status == "open" && s.Status == "planned" {
			l.bad(e.file, e.line, "corridor %s is open, but its section %s is planned", y.ID, s.ID)
		}
		k.km = append(k.km, k.km[i-1]+s.Km)
	}
	c.Corridors = append(c.Corridors, k)
}

// Between is the section that joins two neighbouring places, nil if none does.
func (c *Catalog) Between(a, b string) *Section {
	for _, s := range c.neighbors[a] {
		if s.From == b || s.To == b {
			return s
		}
	}
	return nil
}

func (l *loader) area(c *Catalog, e entry[areaYAML]) {
	for _, a := range c.Areas {
		if slices.Contains(a.Places, e.val.Holds) {
			a.Name = e.val.Name
			return
		}
	}
	l.bad(e.file, e.line, "area %q: no border or gauge break has place %q", e.val.Name, e.val.Holds)
}

// areas are the connected components of borders and gauge breaks by shared places, named after their first border or gauge break.
func areas(c *Catalog) []*Area {
	type node struct {
		id, kind string
		places   []string
	}
	var nodes []node
	for _, b := range c.Borders {
		nodes = append(nodes, node{b.ID, "border", append(slices.Clone(b.A.Places), b.B.Places...)})
	}
	for _, g := range c.GaugeBreaks {
		nodes = append(nodes, node{g.ID, "break", g.Places})
	}
	slices.SortFunc(nodes, func(a, b node) int { return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.id, b.id)) })
	parent := map[string]string{}
	var find func(string) string
	find = func(p string) string {
		if parent[p] == p || parent[p] == "" {
			parent[p] = p
			return p
		}
		parent[p] = find(parent[p])
		return parent[p]
	}
	for _, n := range nodes {
		for _, p := range n.places {
			parent[find(p)] = find(n.places[0])
		}
	}
	byRoot := map[string]*Area{}
	var out []*Area
	for _, n := range nodes {
		root := find(n.places[0])
		a := byRoot[root]
		if a == nil {
			a = &Area{ID: n.id, Name: n.id}
			byRoot[root] = a
			out = append(out, a)
		}
		if n.kind == "border" {
			a.Borders = append(a.Borders, n.id)
		} else {
			a.GaugeBreaks = append(a.GaugeBreaks, n.id)
		}
		a.Places = append(a.Places, n.places...)
	}
	for _, a := range out {
		slices.Sort(a.Places)
		a.Places = slices.Compact(a.Places)
		for _, id := range a.Borders {
			b, _ := c.Border(id)
			b.Area = a.ID
		}
	}
	return out
}
