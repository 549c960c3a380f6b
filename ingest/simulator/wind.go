package simulator

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// wind closes the ports of the sea borders now and then, for both directions. Vessels stay in port, those under way wait off the port
// that they are bound for, and what trains bring meanwhile piles up.
func wind(cfg Config) (all []Restriction) {
	if cfg.WindEvery <= 0 || cfg.WindLength <= 0 {
		return nil
	}
	for i, b := range cfg.Catalog.Borders {
		if !b.Sea {
			continue
		}
		rnd := rand.New(rand.NewPCG(cfg.Seed, 1000+uint64(i)))
		at := cfg.Start.Add(-time.Duration(longestTrip) * time.Millisecond)
		for end := cfg.Start.Add(cfg.Duration); ; {
			at = at.Add(time.Duration(rnd.ExpFloat64() * float64(cfg.WindEvery))).Truncate(time.Minute)
			if at.After(end) {
				break
			}
			until := at.Add(time.Hour + time.Duration(rnd.ExpFloat64()*float64(cfg.WindLength))).Truncate(time.Minute)
			all = append(all, Restriction{
				Border: b.ID, From: at, Until: until, Reason: "wind", Cause: "wind", Reference: fmt.Sprintf("wind-%s-%s", b.ID, at.UTC().Format("20060102-1504")),
			})
			at = until
		}
	}
	return all
}
