package network

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// union finds what is connected: places as a forest of parents, each tree one component.
type union map[string]string

func (u union) root(p string) string {
	up, ok := u[p]
	if !ok || up == p {
		return p
	}
	u[p] = u.root(up)
	return u[p]
}

func (u union) join(places []string) {
	for _, p := range places {
		u[u.root(p)] = u.root(places[0])
	}
}

// areas joins borders and gauge breaks that share places. The first to come gives an area its id: its smallest border, else its
// smallest gauge break.
func (c *Catalog) areas() {
	connected := union{}
	for _, b := range c.Borders {
		connected.join(slices.Concat(b.A.Places, b.B.Places))
	}
	for _, g := range c.GaugeBreaks {
		connected.join(g.Places)
	}
	byRoot := map[string]*Area{}
	at := func(place, id, name string) *Area {
		root := connected.root(place)
		if byRoot[root] == nil {
			byRoot[root] = &Area{ID: id, Name: name}
			c.Areas = append(c.Areas, byRoot[root])
		}
		return byRoot[root]
	}
	for _, b := range c.Borders {
		a := at(b.A.Places[0], b.ID, b.Name)
		a.Borders = append(a.Borders, b.ID)
		b.Area = a.ID
	}
	for _, g := range c.GaugeBreaks {
		a := at(g.Places[0], g.ID, g.Name)
		a.GaugeBreaks = append(a.GaugeBreaks, g.ID)
	}
	for _, p := range slices.Sorted(maps.Keys(connected)) {
		a := byRoot[connected.root(p)]
		a.Places = append(a.Places, p)
	}
	slices.SortFunc(c.Areas, func(a, b *Area) int { return strings.Compare(a.ID, b.ID) })
	c.areaOf = map[string]string{}
	for _, a := range c.Areas {
		for _, p := range a.Places {
			c.areaOf[p] = a.ID
		}
	}
}

// area gives a computed area a name: {holds: kz-altynkol, name: Khorgos}.
func (l *loader) area(f *fields) {
	holds, name := f.text("holds"), f.text("name")
	if name == "" {
		f.bad(f.line, "give it a name")
		return
	}
	f.what += " " + name
	i := slices.IndexFunc(l.c.Areas, func(a *Area) bool { return slices.Contains(a.Places, holds) })
	if i < 0 {
		f.bad(f.at("holds"), "no border or gauge break has place %q: name one of a border's places", holds)
		return
	}
	a := l.c.Areas[i]
	if first, ok := l.where["area "+a.ID]; ok {
		f.bad(f.at("holds"), "the area of %s is named %s already, at %s: remove one", holds, a.Name, first)
		return
	}
	l.where["area "+a.ID] = fmt.Sprintf("%s:%d", f.file, f.line)
	a.Name = name
}

// Area is the area of a place; of one that belongs to no border and no gauge break the place itself.
func (c *Catalog) Area(placeID string) string {
	if a, ok := c.areaOf[placeID]; ok {
		return a
	}
	return placeID
}

// AreasOf are the areas that something declared for a border, area, place or section concerns, ordered; where it is none of an area,
// the places themselves.
func (c *Catalog) AreasOf(subject string) []string {
	if b, ok := c.borders[subject]; ok {
		return []string{b.Area}
	}
	for _, a := range c.Areas {
		if a.ID == subject {
			return []string{a.ID}
		}
	}
	for _, s := range c.Sections {
		if s.ID == subject {
			areas := []string{c.Area(s.From), c.Area(s.To)}
			slices.Sort(areas)
			return slices.Compact(areas)
		}
	}
	return []string{c.Area(subject)}
}

// Usual tells whether stays at a place are held against what is usual there: those of borders and gauge breaks, and those with a norm.
func (c *Catalog) Usual(placeID string) bool {
	if _, ok := c.areaOf[placeID]; ok {
		return true
	}
	p := c.places[placeID]
	return p != nil && p.Dwell != nil
}
