package network

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// OpenLine takes a planned corridor as open, from a day on or, if that is zero, always: the corridor, its sections, the borders it
// crosses and the gauge breaks on it, as far as they are planned. Other facts stay as they are; the catalogue has another hash then.
// It is for what-if worlds, and must be called before the catalogue is shared.
func (c *Catalog) OpenLine(corridor string, from time.Time) error {
	i := slices.IndexFunc(c.Corridors, func(k *Corridor) bool { return k.ID == corridor })
	if i < 0 {
		return fmt.Errorf("open line %q: the catalogue has no such corridor", corridor)
	}
	k := c.Corridors[i]
	if k.Status != Planned {
		return fmt.Errorf("open line %q: it is %s, only planned ones can be opened", corridor, k.Status)
	}
	k.Status, k.Valid.From = Open, from
	open := func(status *string, valid *Validity) {
		if *status == Planned {
			*status, valid.From = Open, from
		}
	}
	on := func(p string) bool { return slices.Contains(k.Places, p) }
	for i := 1; i < len(k.Places); i++ {
		s := c.Between(k.Places[i-1], k.Places[i])
		open(&s.Status, &s.Valid)
	}
	for _, b := range c.Borders {
		if slices.ContainsFunc(b.A.Places, on) && slices.ContainsFunc(b.B.Places, on) {
			open(&b.Status, &b.Valid)
		}
	}
	for _, g := range c.GaugeBreaks {
		if slices.ContainsFunc(g.Places, on) {
			open(&g.Status, &g.Valid)
		}
	}
	c.changes, c.routes = changesOf(c.Sections), map[routeKey]Route{}
	c.hash = hashOf(c)
	return nil
}

// ParseLine reads "cku" or "cku@2030-01-01", a corridor and the day from which it is open.
func ParseLine(s string) (corridor string, from time.Time, err error) {
	corridor, day, dated := strings.Cut(s, "@")
	if dated {
		if from, err = time.Parse(time.DateOnly, day); err != nil {
			return "", from, fmt.Errorf("line %q: write the day behind @ like 2030-01-01: %w", s, err)
		}
	}
	return corridor, from, nil
}
