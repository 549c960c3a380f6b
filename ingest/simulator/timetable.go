package simulator

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"corridorwatch/schemas/network"
)

const (
	minuteMS = int64(60_000)
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
	// A trip takes up to this; so long before the start the first trains leave, for trains to be under way at the start.
	longestTrip = 35 * dayMS
)

// Line is a stream of trains, evenly spaced. It runs since long before the world's start, at midnight UTC and so on, unless From is set.
type Line struct {
	Corridor    string
	Down        bool   // against the order of places
	First, Last string // the part of the corridor it runs on, in the order of its places; empty: from end to end
	PerDay      float64
	From, Until time.Time // the first leaves at From, the last before Until; zero: always
}

// departure is one line of the timetable.
type departure struct {
	places []string // on its way
	at     int64
	number int
	trip   uint64 // counts all trips of the world
}

// stream is a line whose corridor has been found.
type stream struct {
	places []string
	from   int64 // the first train
	until  int64 // no more trains
	step   int64
	number int // of the first train
}

// streams are the lines of the world: those asked for, else both directions of every corridor chosen.
func streams(cfg Config) ([]stream, error) {
	if len(cfg.Lines) == 0 {
		return everyCorridor(cfg)
	}
	var out []stream
	for i, l := range cfg.Lines {
		k, err := corridor(cfg, l.Corridor)
		if err != nil {
			return nil, err
		}
		first, last := 0, len(k.Places)
		if l.First != "" {
			first = slices.Index(k.Places, l.First)
		}
		if l.Last != "" {
			last = slices.Index(k.Places, l.Last) + 1
		}
		if first < 0 || last-first < 2 || l.PerDay <= 0 {
			return nil, fmt.Errorf("simulator: line %d: corridor %s has no way from %q to %q, or no trains are asked for: name two of its places in order, and trains a day", i+1, k.ID, l.First, l.Last)
		}
		s := stream{places: directed(k.Places[first:last], l.Down), from: cfg.Start.UnixMilli() - longestTrip, until: untilMS(l.Until), step: int64(float64(dayMS) / l.PerDay), number: 1000 * (i + 1)}
		if !l.From.IsZero() {
			s.from = l.From.UnixMilli()
		}
		out = append(out, s.valid(k))
	}
	return out, nil
}

func everyCorridor(cfg Config) ([]stream, error) {
	var out []stream
	first := cfg.Start.UnixMilli() - longestTrip
	step := int64(float64(dayMS) / cfg.TrainsPerDay)
	chosen, err := chosen(cfg)
	for i, k := range chosen {
		for d, down := range []bool{false, true} {
			out = append(out, stream{places: directed(k.Places, down), from: first + (int64(i)*7+int64(d)*3)*hourMS%step, until: never, step: step, number: 1000*(i+1) + 500*d}.valid(k))
		}
	}
	return out, err
}

func directed(places []string, down bool) []string {
	places = slices.Clone(places)
	if down {
		slices.Reverse(places)
	}
	return places
}

func chosen(cfg Config) ([]*network.Corridor, error) {
	var out []*network.Corridor
	for _, id := range cfg.Corridors {
		k, err := corridor(cfg, id)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	if len(cfg.Corridors) == 0 {
		for _, k := range cfg.Catalog.Corridors {
			if k.Status == network.Open {
				out = append(out, k)
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("simulator: no open corridor")
	}
	return out, nil
}

func corridor(cfg Config, id string) (*network.Corridor, error) {
	i := slices.IndexFunc(cfg.Catalog.Corridors, func(k *network.Corridor) bool { return k.ID == id })
	if i < 0 {
		return nil, fmt.Errorf("simulator: the catalogue has no corridor %q", id)
	}
	if k := cfg.Catalog.Corridors[i]; k.Status != network.Open {
		return nil, fmt.Errorf("simulator: corridor %q is %s: open it (simulate --open %s), or choose another", id, k.Status, id)
	}
	return cfg.Catalog.Corridors[i], nil
}

// valid lets a stream run only while its corridor is open.
func (s stream) valid(k *network.Corridor) stream {
	if from := k.Valid.From; !from.IsZero() && s.from < from.UnixMilli() {
		s.from = from.UnixMilli()
	}
	s.until = min(s.until, untilMS(k.Valid.To))
	return s
}

// timetable is every train that leaves before the end, in order of time.
func timetable(cfg Config, streams []stream) []departure {
	var all []departure
	for _, s := range streams {
		n := 0
		for at := s.from; at < min(s.until, cfg.Start.Add(cfg.Duration).UnixMilli()); at += s.step {
			all = append(all, departure{places: s.places, at: at, number: s.number + n%500})
			n++
		}
	}
	slices.SortStableFunc(all, func(a, b departure) int { return cmp.Compare(a.at, b.at) })
	for i := range all {
		all[i].trip = uint64(i)
	}
	return all
}
