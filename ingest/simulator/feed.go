package simulator

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// Feed is what is told of trains in a country.
type Feed string

const (
	// GPS: a tracker's positions, and what the operator reports of the train besides. Reports of arrival and departure come from
	// places without a position only.
	GPS Feed = "gps"
	// Reports: a railway without GPS. Arrivals, departures and passes at every place, its own wagon list, hand-overs, holds and
	// activities, each written down up to half an hour later.
	Reports Feed = "reports"
	// Statuses: nothing of trains. The forwarder tells where each container arrived and departed, at the ends of its way, borders,
	// gauge breaks, ports and hubs, up to six hours later.
	Statuses Feed = "statuses"
)

const (
	reportDelay = 30 * minuteMS
	statusDelay = 6 * hourMS
)

// ParseFeeds reads what is told of trains, by country: "KZ=reports".
func ParseFeeds(named map[string]string) (map[string]Feed, error) {
	out := map[string]Feed{}
	for _, country := range slices.Sorted(maps.Keys(named)) {
		f := Feed(named[country])
		if !slices.Contains([]Feed{GPS, Reports, Statuses}, f) {
			return nil, fmt.Errorf("feed of %s: %q is none: write gps, reports or statuses", country, f)
		}
		out[country] = f
	}
	return out, nil
}

func (c Config) feed(country string) Feed { return cmp.Or(c.Feeds[country], GPS) }

// railways are the sources of reports.
var railways = map[string]string{
	"CN": "CR", "KZ": "KTZ", "RU": "RZD", "BY": "BC", "PL": "PKP", "DE": "DB", "UZ": "UTY", "TM": "TDY", "AZ": "ADY", "GE": "GR", "TR": "TCDD", "IR": "RAI", "KG": "KTJ",
}

// tells is who reports of a call.
func (r *run) tells(c *call) string {
	if c.feed == Reports {
		return "simulator/" + cmp.Or(railways[c.place.Country], c.place.Country)
	}
	return r.source
}

// reported tells that arrival and departure are known from reports alone.
func (c *call) reported() bool { return c.feed == Reports || c.place.Position == nil }

func (c *call) seen() bool { return c.feed != Statuses }

// seenFrom is when and from which call on the run is told of at all; ok is false if it never is.
func (r *run) seenFrom() (at int64, first int, ok bool) {
	first = slices.IndexFunc(r.calls, func(c call) bool { return c.seen() })
	if first < 0 {
		return 0, 0, false
	}
	at = r.calls[first].arrive
	if i := slices.IndexFunc(r.knots, func(k knot) bool { return k.t == at }); first > 0 && i > 0 && !r.knots[i-1].dark {
		at = r.knots[i-1].t // its tracker is heard before it comes
	}
	return at, first, true
}

// handedOver is the point of the way between two calls at which one railway's tracker takes over from the other's silence: in the
// middle between the two fences.
func handedOver(a, b knot, from, to *network.Place) knot {
	km := network.DistanceM(a.lat, a.lon, b.lat, b.lon)
	f := 0.5
	if km > 0 {
		f = (reach(from) + km - reach(to)) / 2 / km
	}
	f = min(max(f, 0), 1)
	return knot{t: a.t + int64(f*float64(b.t-a.t)), lat: a.lat + f*(b.lat-a.lat), lon: a.lon + f*(b.lon-a.lon), km: a.km + f*(b.km-a.km)}
}

func reach(p *network.Place) float64 {
	if p.Position == nil {
		return 0
	}
	return p.OuterM()
}

// tellsStatuses tells that the forwarder says when containers came to the place and went. The ends of a run are where they change
// vehicles, or the ends of their way.
func (r *run) tellsStatuses(cat *network.Catalog, i int) bool {
	c := &r.calls[i]
	end := i == 0 || i+1 == len(r.calls)
	return c.feed == Statuses && c.stops() && (end || len(cat.BorderSides(c.place.ID)) > 0 || c.place.Is(network.Hub))
}

// statuses are what the forwarder says of containers where nobody tells of their train.
func (r *run) statuses(cfg Config) []*pb.Event {
	var out []*pb.Event
	for i := range r.calls {
		c := &r.calls[i]
		if !r.tellsStatuses(cfg.Catalog, i) {
			continue
		}
		for _, unit := range r.cargo.containers {
			add := func(t int64, verb pb.Verb) {
				e := &pb.Event{
					Source: "simulator/forwarder", Id: fmt.Sprintf("%s/%d/%s/%s", unit, r.cargo.trip, c.place.ID, verb), Verb: verb, UnitKind: pb.UnitKind_CONTAINER, Subject: unit,
					Time: t, RecordedAt: t, Place: c.place.ID, Data: &pb.Event_Movement{Movement: &pb.Movement{}},
				}
				if !cfg.Even {
					e.RecordedAt += r.rnd.Int64N(statusDelay)
				}
				out = append(out, e)
			}
			if i > 0 || r.part == 0 { // else it came with another run
				add(c.arrive, pb.Verb_ARRIVED)
			}
			if i+1 < len(r.calls) { // else it goes on with another run, or has come to the end
				add(c.left, pb.Verb_DEPARTED)
			}
		}
	}
	return out
}
