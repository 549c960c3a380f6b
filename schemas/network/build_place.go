package network

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (l *loader) place(f *fields) {
	id, ok := l.id(f, f.text("id"))
	p := &Place{ID: id, Name: cmp.Or(f.text("name"), id), Aliases: texts(f.words("aliases")), Valid: f.validity()}
	p.Country = f.country("country")
	for _, w := range f.words("kinds") {
		if !slices.Contains(kinds(), w.text) {
			f.bad(w.line, "kind %q: write one of %s", w.text, strings.Join(kinds(), ", "))
		}
		p.Kinds = append(p.Kinds, w.text)
	}
	if len(p.Kinds) == 0 {
		p.Kinds = []string{Station}
	}
	p.Zone = f.zone(cmp.Or(f.text("zone"), zoneOf(p.Country)))
	for _, n := range f.items("gauges") {
		p.Gauges = append(p.Gauges, f.gauge("gauges", n))
	}
	l.fence(f, p)
	p.Dwell = f.norm("dwell_h", "dwell_p95_h", p.Is(GaugeChange))
	p.Names = l.namesOf(f)
	codes := l.codes(f)
	p.Codes = codes
	if !ok {
		return
	}
	l.c.places[id] = p
	l.c.Places = append(l.c.Places, p)
	l.register(f, p)
}

func (f *fields) country(key string) string {
	v := f.text(key)
	if v != "" && !isCountry(v) {
		f.bad(f.at(key), "%s %q: write a code of ISO 3166 in two capital letters, like KZ", key, v)
		return ""
	}
	return v
}

// gauge reads a track gauge in millimetres.
func (f *fields) gauge(key string, n *yaml.Node) int {
	v, ok := f.parse(key, n)
	if ok && (v != math.Trunc(v) || v < 300 || v > 3000) {
		f.bad(n.Line, "%s %v: write millimetres, like 1435 or 1520", key, v)
		return 0
	}
	return int(v)
}

// namesOf reads further names by language.
func (l *loader) namesOf(f *fields) map[string]string {
	n := f.sub("names")
	if n == nil {
		return nil
	}
	out := map[string]string{}
	for _, lang := range n.order {
		out[lang] = n.text(lang)
	}
	return out
}

// codes reads codes by scheme.
func (l *loader) codes(f *fields) map[string][]string {
	n := f.sub("codes")
	if n == nil {
		return nil
	}
	out := map[string][]string{}
	for _, scheme := range n.order {
		for _, w := range n.words(scheme) {
			if reason := badCode(scheme, w.text); reason != "" {
				n.bad(w.line, "%s %q %s", scheme, w.text, reason)
			}
			out[scheme] = append(out[scheme], w.text)
		}
	}
	f.broken = f.broken || n.broken
	return out
}

// badCode says what is wrong with a code, as far as its scheme can be checked.
func badCode(scheme, code string) string {
	switch scheme {
	case "locode":
		if len(code) != 5 || !isCountry(code[:2]) || strings.ToUpper(code) != code {
			return "is no UN/LOCODE: write country and place in capitals without a blank, like KZKZO"
		}
	case "esr":
		if !ValidESR(code) {
			return "fails its check digit: write all six digits of the ESR code, in quotes"
		}
	case "name":
		return "is no code: write further names under names or aliases"
	}
	return ""
}

// register makes the place known by its codes and names.
func (l *loader) register(f *fields, p *Place) {
	for _, scheme := range slices.Sorted(maps.Keys(p.Codes)) {
		for _, code := range p.Codes[scheme] {
			key := strings.ToLower(scheme + ":" + code)
			if other := l.c.codes[key]; other != nil {
				f.bad(f.at("codes"), "%s:%s belongs to place %s already: a code has one place", scheme, code, other.ID)
				continue
			}
			l.c.codes[key] = p
		}
	}
	add := func(name string) {
		key := "name:" + strings.ToLower(name)
		if name != "" && !slices.Contains(l.names[key], p) {
			l.names[key] = append(l.names[key], p)
		}
	}
	add(p.Name)
	for _, name := range p.Names {
		add(name)
	}
	for _, name := range p.Aliases {
		add(name)
	}
}

// linkNames lets a name find its place: the only one that bears it, or the only one whose first name it is.
func (l *loader) linkNames() {
	for key, places := range l.names {
		if len(places) > 1 {
			places = slices.DeleteFunc(places, func(p *Place) bool { return "name:"+strings.ToLower(p.Name) != key })
		}
		if len(places) == 1 {
			l.c.codes[key] = places[0]
		}
	}
}

// fence reads position and fence.
func (l *loader) fence(f *fields, p *Place) {
	quality := f.choice("quality", qualities()...)
	radius := f.positive("radius_m", "metres", maxFenceM)
	corners := f.items("polygon")
	at := f.get("at")
	if at == nil && len(corners) == 0 {
		for _, key := range []string{"radius_m", "quality"} {
			if f.keys[key] != nil {
				f.bad(f.at(key), "%s without a position: add at: [latitude, longitude]", key)
			}
		}
		return
	}
	for _, n := range corners {
		if pos := f.position("polygon", n); pos != nil {
			p.Fence.Polygon = append(p.Fence.Polygon, Position{pos.Lat, pos.Lon, quality})
		}
	}
	if at != nil {
		p.Position = f.position("at", at)
	} else if n := float64(len(p.Fence.Polygon)); n > 0 {
		p.Position = &Position{}
		for _, c := range p.Fence.Polygon {
			p.Position.Lat += c.Lat / n
			p.Position.Lon += c.Lon / n
		}
	}
	if p.Position == nil {
		return
	}
	p.Position.Quality = quality
	p.Fence.RadiusM = cmp.Or(radius, map[bool]float64{true: FenceApproximateM, false: FenceM}[quality == Approximate])
	if len(corners) > 0 {
		l.polygon(f, p, radius)
	}
}

func (l *loader) polygon(f *fields, p *Place, radius float64) {
	if len(p.Fence.Polygon) < 3 {
		f.bad(f.at("polygon"), "polygon: write three corners or more, each [latitude, longitude]")
		return
	}
	for _, c := range p.Fence.Polygon {
		if d := DistanceM(p.Position.Lat, p.Position.Lon, c.Lat, c.Lon); d > maxFenceM {
			f.bad(f.at("polygon"), "polygon: corner %v, %v is %.0f km from the position: mend one of them", c.Lat, c.Lon, d/1000)
			return
		}
	}
	area := newFence(p).area()
	if area < 1 {
		f.bad(f.at("polygon"), "polygon: its corners hold no area: write them in order around the yard")
		return
	}
	if radius == 0 {
		p.Fence.RadiusM = math.Sqrt(area / math.Pi)
	}
}

// position reads [latitude, longitude]; nil if it is none. Exactly 0, 0 is what a device sends that knows nothing.
func (f *fields) position(key string, n *yaml.Node) *Position {
	n = target(n)
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		f.bad(n.Line, "%s: write [latitude, longitude] in degrees, like [45.2533, 82.4844]", key)
		return nil
	}
	lat, ok1 := f.parse(key+" latitude", target(n.Content[0]))
	lon, ok2 := f.parse(key+" longitude", target(n.Content[1]))
	if !ok1 || !ok2 {
		return nil
	}
	if math.Abs(lat) > 90 || math.Abs(lon) > 180 || lat == 0 && lon == 0 {
		hint := ""
		if math.Abs(lat) > 90 && math.Abs(lon) <= 90 {
			hint = fmt.Sprintf(": did you mean [%v, %v]?", lon, lat)
		}
		f.bad(n.Line, "%s [%v, %v] is not on Earth's railways: latitude first, from -90 to 90, then longitude, from -180 to 180%s", key, lat, lon, hint)
		return nil
	}
	return &Position{Lat: lat, Lon: lon}
}
