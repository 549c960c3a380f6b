package simulator

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"corridorwatch/schemas/pb"
)

const (
	containersATrip = 40 // where nothing is said
	consignments    = 4  // a trip, of equally many containers
)

// cargo is what one trip carries: the same containers in every run of it.
type cargo struct {
	trip       uint64
	seed       uint64
	day        string
	from, to   string // places
	country    string // it comes from
	containers []string
	declared   bool
}

// newCargo numbers the containers of a trip so that none is on two trips at once.
func newCargo(cfg Config, d departure) *cargo {
	places := d.places
	from, _ := cfg.Catalog.Place(places[0])
	c := &cargo{trip: d.trip, seed: cfg.Seed, day: time.UnixMilli(d.at).UTC().Format("20060102"), from: places[0], to: places[len(places)-1], country: from.Country}
	n := uint64(cmp.Or(cfg.PerTrip, containersATrip))
	for i := range n {
		c.containers = append(c.containers, containerNumber(d.trip*n+i))
	}
	return c
}

func (c *cargo) note(i int) string { return fmt.Sprintf("SMGS-%s-%d-%d", c.day, c.trip, i+1) }

// of are the containers of consignment i.
func (c *cargo) of(i int) []string {
	n := len(c.containers) / consignments
	return c.containers[i*n : (i+1)*n]
}

// composition is what run r consists of: wagons of its own with a container each, or a vessel's containers.
func (c *cargo) composition(r *run) *pb.Composition {
	out := &pb.Composition{Op: pb.Composition_SET}
	for i, id := range c.containers {
		item := &pb.CompositionItem{Containers: []*pb.ContainerOn{{Id: id, Loaded: new(true)}}, Consignment: c.note(i * consignments / len(c.containers))}
		if r.kind == pb.UnitKind_TRAIN {
			item.Wagon = wagonNumber((c.trip*8+uint64(r.part))*uint64(len(c.containers)) + uint64(i))
		}
		out.Items = append(out.Items, item)
	}
	return out
}

// reports are what the forwarder says of the consignments while r runs: declared with the first run that is seen, then the
// milestones at both ends of the trip.
func (c *cargo) reports(r *run) []*pb.Event {
	var out []*pb.Event
	add := func(i int, t int64, verb pb.Verb, what, place string) *pb.Event {
		e := &pb.Event{
			Source: "simulator/forwarder", Id: c.note(i) + "/" + what, Verb: verb, Subject: c.note(i), Time: t, RecordedAt: t, Place: place,
		}
		out = append(out, e)
		return e
	}
	milestone := func(i int, t int64, what, place string) {
		add(i, t, pb.Verb_MILESTONE, what, place).Data = &pb.Event_Milestone{Milestone: &pb.Milestone{Milestone: what, Units: c.of(i)}}
	}
	begin := r.knots[0].t
	for i := range consignments {
		if !c.declared {
			add(i, begin, pb.Verb_DECLARED, "declared", "").Data = &pb.Event_Shipment{Shipment: c.shipment(i)}
		}
		if r.part == 0 {
			milestone(i, begin, "gate_in", c.from)
		}
		if r.last {
			milestone(i, r.end(), "delivered", c.to)
		}
	}
	c.declared = true
	return out
}

// line is a kind of goods with what a container of it weighs and is worth.
type line struct {
	hs, words  string
	kg, dollar float64
}

// What goes west and what goes east differs; the values are orders of magnitude, not statistics.
var (
	fromChina = []line{
		{"850760", "lithium-ion accumulators", 18_000, 400_000}, {"870380", "electric passenger cars", 9_000, 90_000},
		{"851762", "network equipment", 8_000, 600_000}, {"940360", "wooden furniture", 12_000, 30_000}, {"854143", "photovoltaic modules", 20_000, 60_000},
	}
	toChina = []line{
		{"740311", "copper cathodes", 25_000, 220_000}, {"110100", "wheat flour", 24_000, 9_000}, {"440710", "sawn softwood", 22_000, 8_000},
		{"870323", "passenger cars", 9_000, 110_000}, {"847989", "machinery", 15_000, 300_000},
	}
	chineseRegions = []string{"CN-SN", "CN-SC", "CN-HA", "CN-XJ", "CN-ZJ"}
)

func (c *cargo) shipment(i int) *pb.Shipment {
	rnd := rand.New(rand.NewPCG(c.seed^c.trip, uint64(i)+17))
	lines, region := toChina, c.country
	if c.country == "CN" {
		lines, region = fromChina, chineseRegions[rnd.IntN(len(chineseRegions))]
	}
	units := c.of(i)
	goods := lines[rnd.IntN(len(lines))]
	much := float64(len(units)) * math.Exp(0.3*rnd.NormFloat64())
	out := &pb.Shipment{
		Note: c.note(i), Origin: c.from, Destination: c.to, ShipperRegion: region, TradeMode: "general",
		Goods: []*pb.Goods{{Hs: goods.hs, Description: goods.words, WeightKg: math.Round(goods.kg * much), Value: math.Round(goods.dollar * much), Currency: "USD"}},
	}
	for _, id := range units {
		out.Units = append(out.Units, &pb.ShipmentUnit{Id: id, Share: new(1 / float64(len(units)))})
	}
	return out
}

// wagonNumber makes an 8-digit number of a flat wagon with its check digit (Luhn).
func wagonNumber(n uint64) string {
	s := fmt.Sprintf("9%06d", n%1_000_000)
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return s + strconv.Itoa((10-sum%10)%10)
}

// containerNumber makes a container number with its check digit (ISO 6346).
func containerNumber(n uint64) string {
	s := fmt.Sprintf("CRXU%06d", n%1_000_000)
	sum := 0
	for i := range len(s) {
		v := 0
		if c := s[i]; c >= 'A' {
			v = int(c-'A') + 10
			v += (v - 1) / 10
		} else {
			v = int(c - '0')
		}
		sum += v << i
	}
	return s + strconv.Itoa(sum%11%10)
}
