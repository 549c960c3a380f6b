package simulation

import (
	"maps"
	"slices"
)

// shrink looks for the least of a failing case that still fails: fewer faults, then fewer events. What fails only now and then is
// tried several times.
func (j *judge) shrink(c testCase) testCase {
	budget := 150
	fails := func(c testCase) bool {
		for range 2 {
			if budget--; budget < 0 {
				return false
			}
			if j.verdict(c) != "" {
				return true
			}
		}
		return false
	}
	for i := 0; i < len(c.faults); {
		less := c
		less.faults = slices.Delete(slices.Clone(c.faults), i, i+1)
		if fails(less) {
			c = less
		} else {
			i++
		}
	}
	events := len(newWorld(c.world).events)
	for size := events / 2; size > 0; size /= 2 {
		for from := 0; from < events; from += size {
			less := c
			less.without = maps.Clone(c.without)
			if less.without == nil {
				less.without = map[int]bool{}
			}
			for i := from; i < min(from+size, events); i++ {
				less.without[i] = true
			}
			if n := len(less.without); n > len(c.without) && n < events && fails(less) {
				c = less
			}
		}
	}
	return c
}
