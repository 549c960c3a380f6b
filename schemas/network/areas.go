package network

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// areas joins borders and gauge breaks that share places, by union-find over the places.
func (c *Catalog) areas() {
	parent := map[string]string{}
	var root func(string) string
	root = func(p string) string {
		up, ok := parent[p]
		if !ok || up == p {
			return p
		}
		parent[p] = root(up)
		return parent[p]
	}
	join := func(places []string) {
		for _, p := range places {
			parent[root(p)] = root(places[0])
		}
	}
	for _, b := range c.Borders {
		join(slices.Concat(b.A.Places, b.B.Places))
	}
	for _, g := range c.GaugeBreaks {
		join(g.Places)
	}
	byRoot := map[string]*Area{}
	at := func(place, id, name string) *Area { // the first to come gives the area its id: the smallest border, else the smallest gauge break
		r := root(place)
		if byRoot[r] == nil {
			byRoot[r] = &Area{ID: id, Name: name}
			c.Areas = append(c.Areas, byRoot[r])
		}
		return byRoot[r]
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
	for _, p := range slices.Sorted(maps.Keys(parent)) {
		if a := byRoot[root(p)]; a != nil {
			a.Places = append(a.Places, p)
		}
	}
	slices.SortFunc(c.Areas, func(a, b *Area) int { return strings.Compare(a.ID, b.ID) })
}

// area gives a computed area a name: {holds: kz-altynkol, name: Khorgos}.
func (l *loader) area(f *fields) {
	holds, name := f.text("holds"), f.text("name")
	if name == "" {
		f.bad(f.line, "give it a name")
		return
	}
	f.what += " " + name
	for _, a := range l.c.Areas {
		if !slices.Contains(a.Places, holds) {
			continue
		}
		if first, ok := l.where["area "+a.ID]; ok {
			f.bad(f.at("holds"), "the area of %s is named %s already, at %s: remove one", holds, a.Name, first)
			return
		}
		l.where["area "+a.ID] = fmt.Sprintf("%s:%d", f.file, f.line)
		a.Name = name
		return
	}
	f.bad(f.at("holds"), "no border or gauge break has place %q: name one of a border's places", holds)
}
