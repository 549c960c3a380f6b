package network

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// hashOf is the SHA-256 of the whole content as JSON, one line a thing. The lists are sorted by id already, and encoding/json sorts
// the keys of maps; lists whose order means nothing (kinds, codes) are sorted here.
func hashOf(c *Catalog) string {
	h := sha256.New()
	enc := json.NewEncoder(h)
	put := func(kind string, v any) {
		if err := enc.Encode([]any{kind, v}); err != nil {
			panic(fmt.Sprintf("network: a catalogue holds plain values only: %v", err))
		}
	}
	put("max_speed_kmh", c.maxSpeed)
	for _, p := range c.Places {
		zone := p.Zone.String()
		q := *p
		q.Zone, q.Kinds, q.Gauges, q.Aliases = nil, sorted(p.Kinds), sorted(p.Gauges), sorted(p.Aliases)
		q.Codes = map[string][]string{}
		for scheme := range maps.Keys(p.Codes) {
			q.Codes[scheme] = sorted(p.Codes[scheme])
		}
		put("place", []any{q, zone})
	}
	for _, b := range c.Borders {
		q := *b
		q.A.Places, q.B.Places = sorted(b.A.Places), sorted(b.B.Places)
		q.A.Day.Zone, q.B.Day.Zone = nil, nil
		put("border", []any{q, b.A.Day.Zone.String(), b.B.Day.Zone.String()})
	}
	for _, g := range c.GaugeBreaks {
		q := *g
		q.Places = sorted(g.Places)
		put("gauge_break", q)
	}
	for _, a := range c.Areas {
		put("area", a)
	}
	for _, s := range c.Sections {
		put("section", s)
	}
	for _, k := range c.Corridors {
		put("corridor", []any{k, k.km})
	}
	for _, s := range c.Sources {
		put("source", s)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func sorted[T int | string](list []T) []T { return slices.Sorted(slices.Values(list)) }
