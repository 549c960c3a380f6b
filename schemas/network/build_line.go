package network

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

func (l *loader) section(f *fields) {
	from, to := f.text("from"), f.text("to")
	id, ok := f.text("id"), from != "" && to != ""
	if ok {
		id, ok = l.id(f, cmp.Or(id, from+"--"+to))
	}
	ends, known := l.known(f, []word{{from, f.at("from")}, {to, f.at("to")}})
	s := &Section{ID: id, From: from, To: to, Estimate: f.truth("estimate"), Mode: f.choice("mode", Rail, Sea, Road),
		Status: f.choice("status", Open, Planned, Closed), MaxSpeedKmh: f.positive("max_kmh", "km/h", 1000),
		RunningKmh: f.positive("kmh", "km/h", 1000), Valid: f.validity(), Km: f.positive("km", "km", 20_000)}
	if n := f.get("gauge"); n != nil {
		s.Gauge = f.gauge("gauge", n)
	}
	f.closures(s)
	if !ok || !known {
		return
	}
	l.length(f, s, l.c.places[ends[0]], l.c.places[ends[1]])
	if other := l.c.Between(from, to); other != nil {
		f.bad(f.line, "section %s joins %s and %s already: remove one", other.ID, from, to)
		return
	}
	for _, end := range ends {
		if g := l.c.places[end].Gauges; s.Mode == Rail && s.Gauge != 0 && len(g) > 0 && !slices.Contains(g, s.Gauge) {
			f.bad(f.at("gauge"), "gauge %d does not reach %s, which has %s: mend one of them", s.Gauge, end, gaugeText(g))
		}
	}
	l.join(s)
}

func (l *loader) join(s *Section) {
	l.c.Sections = append(l.c.Sections, s)
	l.c.neighbors[s.From] = append(l.c.neighbors[s.From], s)
	l.c.neighbors[s.To] = append(l.c.neighbors[s.To], s)
}

// length checks the length against the straight line between the ends, and takes that line where no length is given. Positions may
// be off by kilometres and published lengths may be wrong a little; what is caught is a swapped or misplaced position.
func (l *loader) length(f *fields, s *Section, a, b *Place) {
	if a.Position == nil || b.Position == nil {
		if s.Km == 0 && f.keys["km"] == nil {
			f.bad(f.line, "give its km: without positions at both ends no straight line can stand in for it")
		}
		return
	}
	straight := straightKm(a, b)
	if f.keys["km"] == nil {
		s.Km, s.Estimate = straight, true
		return
	}
	if s.Km > 0 && straight > 2*s.Km+20 {
		f.bad(f.at("km"), "km %v, but its ends are %.0f km apart in a straight line: mend the length, or the position of one end", s.Km, straight)
	}
}

// straightKm is the great circle between two places, to a tenth of a kilometre and never 0.
func straightKm(a, b *Place) float64 {
	d := DistanceM(a.Position.Lat, a.Position.Lon, b.Position.Lat, b.Position.Lon) / 1000
	return math.Max(math.Round(d*10)/10, 0.1)
}

// closures reads times for which the section was closed.
func (f *fields) closures(s *Section) {
	for _, n := range f.items("closures") {
		c := f.l.entry(f.file, n, f.what+": closure")
		if c == nil {
			f.broken = true
			continue
		}
		v := Closure{Validity: c.period("from", "to"), Reason: c.text("reason")}
		if v.From.IsZero() && v.To.IsZero() && !c.broken {
			c.bad(c.line, "give from, to or both, like 2025-09-12; a section closed for good has status: closed")
		}
		if c.finish() {
			s.Closures = append(s.Closures, v)
		}
	}
}

func (l *loader) corridor(f *fields) {
	id, ok := l.id(f, f.text("id"))
	k := &Corridor{ID: id, Name: cmp.Or(f.text("name"), id), Status: f.choice("status", Open, Planned, Closed),
		ThroughCentralAsia: f.truth("through_central_asia"), Valid: f.validity()}
	named, straight := f.words("places"), f.truth("straight")
	ids, known := l.known(f, named)
	if len(named) < 2 {
		f.bad(f.at("places"), "places: name two places or more, in order")
		return
	}
	if !ok || !known {
		return
	}
	k.Places, k.km = ids, []float64{0}
	for i := 1; i < len(ids); i++ {
		s := l.step(f, k, named[i-1], named[i], straight)
		if s == nil {
			return
		}
		k.km = append(k.km, k.km[i-1]+s.Km)
	}
	l.c.Corridors = append(l.c.Corridors, k)
}

// step finds the section between two neighbours of a corridor or, where straight lines will do, makes one.
func (l *loader) step(f *fields, k *Corridor, a, b word, straight bool) *Section {
	s := l.c.Between(a.text, b.text)
	if s == nil {
		from, to := l.c.places[a.text], l.c.places[b.text]
		if !straight || from.Position == nil || to.Position == nil {
			f.bad(b.line, "no section joins %s and %s: add one to sections, or say straight: true if straight lines between positions will do", a.text, b.text)
			return nil
		}
		s = &Section{ID: a.text + "--" + b.text, From: a.text, To: b.text, Km: straightKm(from, to), Estimate: true, Mode: Rail, Status: k.Status}
		l.join(s)
	}
	if k.Status == Open && s.Status != Open {
		f.bad(b.line, "is open, but its section %s is %s: change the status of one", s.ID, s.Status)
	}
	return s
}

// checkGauges finds places where rails of two gauges meet and no gauge break says how loads get across.
func (l *loader) checkGauges() {
	changes := map[string]bool{}
	for _, g := range l.c.GaugeBreaks {
		for _, p := range g.Places {
			changes[p] = true
		}
	}
	for _, p := range l.c.Places {
		var met []int
		for _, s := range l.c.neighbors[p.ID] {
			if s.Mode == Rail && s.Gauge != 0 && !slices.Contains(met, s.Gauge) {
				met = append(met, s.Gauge)
			}
		}
		if len(met) > 1 && !changes[p.ID] {
			slices.Sort(met)
			file, line, _ := strings.Cut(l.where["place "+p.ID], ":")
			l.bad(file, atoi(line), "place %s: sections of gauge %s meet here: add a gauge break that names it, or mend a section", p.ID, gaugeText(met))
		}
	}
}
