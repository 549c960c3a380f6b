package network

import (
	"cmp"
	"slices"
	"strconv"
)

func (l *loader) border(f *fields) {
	id, ok := l.id(f, f.text("id"))
	b := &Border{ID: id, Name: cmp.Or(f.text("name"), id), Customs: f.truth("customs"), Sanitary: f.truth("sanitary"), Sea: f.truth("sea"),
		Status: f.choice("status", Open, Planned, Closed), Valid: f.validity(), Norms: map[string]Norm{}}
	whole := l.side(f, "a", &b.A)
	whole = l.side(f, "b", &b.B) && whole
	if whole && b.A.Country == b.B.Country {
		f.bad(f.at("b"), "both sides are in %s: a border has two countries", b.A.Country)
		whole = false
	}
	for _, p := range b.B.Places {
		if slices.Contains(b.A.Places, p) {
			f.bad(f.at("b"), "place %s is on both sides: for a joint station make two places", p)
			whole = false
		}
	}
	if source := f.text("norm_source"); source != "" {
		f.norms.source = source
	}
	l.norms(f, b)
	if !ok || !whole {
		return
	}
	l.c.borders[id] = b
	l.c.Borders = append(l.c.Borders, b)
	for _, p := range b.A.Places {
		l.c.sides[p] = append(l.c.sides[p], BorderSide{b, 'A'})
	}
	for _, p := range b.B.Places {
		l.c.sides[p] = append(l.c.sides[p], BorderSide{b, 'B'})
	}
}

// side reads one side: {country: KZ, places: [kz-altynkol], zone: Asia/Almaty, day_start: 18:00}. The country may be left out: it is that
// of the places.
func (l *loader) side(f *fields, key string, s *Side) bool {
	n := f.sub(key)
	if n == nil {
		if f.keys[key] == nil {
			f.bad(f.line, "side %s is missing: write %s: {country: KZ, places: [kz-altynkol]}", key, key)
		}
		return false
	}
	s.Country = n.country("country")
	named := n.words("places")
	ids, known := l.known(n, named)
	s.Places = ids
	if len(named) == 0 {
		n.bad(n.at("places"), "names no place: add its border stations")
	}
	for _, w := range named {
		p := l.c.places[w.text]
		switch {
		case p == nil:
		case p.Country == "":
			n.bad(w.line, "place %s has no country: give it one, a border needs it", p.ID)
		case s.Country == "" && n.keys["country"] == nil:
			s.Country = p.Country
		case s.Country != "" && s.Country != p.Country:
			n.bad(w.line, "place %s is in %s, not in %s", p.ID, p.Country, s.Country)
		}
	}
	var first *Place
	if len(ids) > 0 {
		first = l.c.places[ids[0]]
	}
	s.Day = n.day(first)
	good := n.finish() && known
	f.broken = f.broken || !good
	return good
}

// norms reads the usual hours of each side by role: {KZ: {inbound_h: 30, outbound_h: 6}}.
func (l *loader) norms(f *fields, b *Border) {
	all := f.sub("norms")
	if all == nil {
		return
	}
	for _, country := range all.order {
		n := all.sub(country)
		if n == nil {
			continue
		}
		n.norms = f.norms
		if country != b.A.Country && country != b.B.Country {
			n.bad(all.at(country), "%s is no side of this border: write %s or %s", country, b.A.Country, b.B.Country)
		}
		for _, role := range []string{Inbound, Outbound} {
			if norm := n.norm(role+"_h", role+"_p95_h", false); norm != nil {
				b.Norms[country+" "+role] = *norm
			}
		}
		n.finish()
	}
}

func (l *loader) gaugeBreak(f *fields) {
	id, ok := l.id(f, f.text("id"))
	g := &GaugeBreak{ID: id, Name: cmp.Or(f.text("name"), id), Border: f.text("border"), Status: f.choice("status", Open, Planned, Closed), Valid: f.validity()}
	if l.c.borders[id] != nil {
		f.bad(f.at("id"), "a border has this id: choose another, areas are named after both")
	}
	named := f.words("places")
	ids, known := l.known(f, named)
	if len(named) == 0 {
		f.bad(f.at("places"), "names no place: add where loads change")
	}
	g.Places = ids
	if n := f.get("from"); n != nil {
		g.From = f.gauge("from", n)
	}
	if n := f.get("to"); n != nil {
		g.To = f.gauge("to", n)
	}
	if g.From == g.To || g.From == 0 || g.To == 0 {
		f.bad(f.at("to"), "from and to: write two different gauges in millimetres, like from: 1435, to: 1520")
	}
	for _, w := range named {
		if p := l.c.places[w.text]; p != nil && len(p.Gauges) > 0 && g.From*g.To > 0 && !slices.Contains(p.Gauges, g.From) && !slices.Contains(p.Gauges, g.To) {
			f.bad(w.line, "place %s has %s, neither %d nor %d", p.ID, gaugeText(p.Gauges), g.From, g.To)
		}
	}
	l.atBorder(f, g)
	if ok && known && len(ids) > 0 {
		l.c.GaugeBreaks = append(l.c.GaugeBreaks, g)
	}
}

// atBorder links a gauge break with the border it names.
func (l *loader) atBorder(f *fields, g *GaugeBreak) {
	if g.Border == "" {
		return
	}
	b := l.c.borders[g.Border]
	switch {
	case b == nil:
		f.bad(f.at("border"), "the catalogue has no border %q: add it to borders, or leave it out", g.Border)
	case b.GaugeBreak != "":
		f.bad(f.at("border"), "border %s has gauge break %s already: a border has one", b.ID, b.GaugeBreak)
	case len(g.Places) > 0 && !touches(b, g.Places):
		f.bad(f.at("border"), "has no place in common with border %s: leave border out if the gauge changes elsewhere", b.ID)
	default:
		b.GaugeBreak = g.ID
	}
}

func touches(b *Border, places []string) bool {
	return slices.ContainsFunc(places, func(p string) bool { return slices.Contains(b.A.Places, p) || slices.Contains(b.B.Places, p) })
}

func gaugeText(gauges []int) string { return join(gauges, " and ") + " mm" }

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
