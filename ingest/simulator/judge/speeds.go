package judge

import (
	"fmt"
	"math"

	"corridorwatch/ingest/simulator"
)

// total is what the legs between two places come to.
type total struct {
	n, km, elapsed, moving, trueKm, trueElapsed, trueMoving float64

	worst   string // the leg that is off the most, in words
	worstBy float64
}

// speeds compares SWD and SWOD by section: all legs between two places together.
func (r *Report) speeds(truth *simulator.Truth, got Results) {
	found := map[string][]*Leg{}
	for i := range got.Legs {
		l := &got.Legs[i]
		found[l.Unit+"|"+l.From+"|"+l.To] = append(found[l.Unit+"|"+l.From+"|"+l.To], l)
	}
	sections := map[string]*total{}
	for i := range truth.Legs {
		t := &truth.Legs[i]
		if t.Cut || t.Vague || math.IsNaN(t.Km) || t.Km == 0 || t.Arrived <= t.Departed {
			continue
		}
		r.legs.truth++
		var l *Leg
		for _, c := range found[t.Run+"|"+t.From+"|"+t.To] {
			if c.Arrived != 0 && (l == nil || abs(c.Arrived-t.Arrived) < abs(l.Arrived-t.Arrived)) {
				l = c
			}
		}
		if l == nil || l.Moving <= 0 || l.Elapsed <= 0 {
			r.legs.miss("%s from %s to %s, %s", t.Run, t.From, t.To, clock(t.Departed))
			continue
		}
		r.legs.found++
		key := t.From + " to " + t.To
		s := sections[key]
		if s == nil {
			s = &total{}
			sections[key] = s
		}
		s.n++
		s.km += l.Km
		s.elapsed += l.Elapsed
		s.moving += l.Moving
		s.trueKm += t.Km
		s.trueElapsed += float64(t.Arrived-t.Started) / 1000
		if by := math.Abs(l.Elapsed - float64(t.Arrived-t.Started)/1000); by > s.worstBy {
			s.worst, s.worstBy = t.Run+" of "+clock(t.Departed), by
		}
		s.trueMoving += float64(t.Arrived-t.Departed-t.Standing) / 1000
	}
	for key, s := range sections {
		// Between two border stations a kilometre apart the train runs for a minute: reports a minute apart cannot tell its speed to
		// a hundredth. Such a section is held to its mean running time.
		if s.trueMoving/s.n < 2*r.interval.Seconds() {
			by := math.Abs(s.moving-s.trueMoving) / s.n
			// One leg departs and arrives somewhere between two reports: that it is off by less than their interval is all that can be known.
			bound := r.interval.Seconds()
			if s.n > 2 {
				bound /= 2
			}
			if r.short = append(r.short, by*1000); by/bound > r.shortBy {
				r.shortWorst, r.shortBy = fmt.Sprintf("%s by %.1f s over %.0f legs, most of all %s", key, by, s.n, s.worst), by/bound
			}
			continue
		}
		swd := math.Abs(s.km/s.elapsed/(s.trueKm/s.trueElapsed) - 1)
		swod := math.Abs(s.km/s.moving/(s.trueKm/s.trueMoving) - 1)
		if math.Abs(s.moving-s.trueMoving)/s.n <= noiseS && math.Abs(s.elapsed-s.trueElapsed)/s.n <= noiseS {
			swd, swod = min(swd, 0.01), min(swod, 0.01)
		}
		r.swd, r.swod = append(r.swd, swd), append(r.swod, swod)
		if e := max(swd, swod); e > r.worstBy {
			r.worst, r.worstBy = fmt.Sprintf("%s, most of all %s, %.0f s", key, s.worst, s.worstBy), e
		}
	}
}

// noiseS is what 10 m of noise and a position a minute do to a running time now and then, seconds: departure and arrival are found
// within 4 s each at the 95th percentile. In a section that is run in four minutes this is more than 1 %.
const noiseS = 6

func abs(a int64) int64 { return max(a, -a) }
