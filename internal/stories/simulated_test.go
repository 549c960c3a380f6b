package stories

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest/simulator"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// told of a story is the side of a border that it is about.
type scene struct {
	border, from, role string
	kind               pb.UnitKind
	at                 time.Duration // of the day, at which its table is taken
}

// TestStories plays each story of testdata/stories through the stages, and holds what they say as it goes on, and at the end, against
// a table that was worked out from the story by hand: README.md there says how.
func TestStories(t *testing.T) {
	for name, s := range map[string]scene{
		"poland":  {"brest", "BY", "outbound", pb.UnitKind_TRAIN, 30 * time.Minute},
		"dostyk":  {"dostyk", "KZ", "outbound", pb.UnitKind_CONTAINER, 16 * time.Hour},
		"caspian": {"caspian", "KZ", "outbound", pb.UnitKind_CONTAINER, 13 * time.Hour},
		"farap":   {"farap", "UZ", "inbound", pb.UnitKind_TRAIN, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, err := os.ReadFile("../../testdata/stories/" + name + ".want")
			if err != nil {
				t.Fatal(err)
			}
			got := s.play(t, name, string(want))
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// play makes of a story the table that want has the head and the days of.
func (s scene) play(t *testing.T, name, want string) string {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../testdata/stories/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := simulator.ReadStory(text, cat)
	if err != nil {
		t.Fatal(err)
	}
	world, err := simulator.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	c := newChain(cat, false)
	days, totals := parts(want)
	next := func() (at int64) {
		if len(days) == 0 {
			return 0
		}
		day, err := time.Parse(time.DateOnly, strings.Fields(days[0])[0])
		if err != nil {
			t.Fatal(err)
		}
		return day.Add(s.at).UnixMilli()
	}
	var head []string
	if len(days) > 0 {
		head, days = strings.Fields(days[0]), days[1:]
		fmt.Fprintln(&out, strings.Join(head, "  "))
	}
	const every = 30 * 60_000
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		for at := next(); at != 0 && ev.Time > at; at = next() {
			c.advance(at)
			fmt.Fprintln(&out, strings.Join(s.row(c.told, head, at), "  "))
			days = days[1:]
		}
		if now := ev.Time / every * every; now > c.now {
			c.advance(now)
		}
		value, err := proto.Marshal(ev)
		if err != nil {
			t.Fatal(err)
		}
		c.take(value)
	}
	c.advance(cfg.Start.Add(cfg.Duration).UnixMilli())
	for _, r := range c.told.rejects {
		t.Errorf("rejected: %v", r)
	}
	if len(head) > 0 {
		out.WriteString("\n")
	}
	for _, line := range totals {
		fmt.Fprintln(&out, s.total(c.told, strings.Fields(line)[0]))
	}
	return aligned(out.String(), len(head))
}

// parts are the table, its head first, and the lines below it.
func parts(want string) (table, totals []string) {
	lines := bufio.NewScanner(strings.NewReader(want))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case line == "":
		case strings.HasPrefix(line, "day ") || strings.HasPrefix(line, "20"):
			table = append(table, line)
		default:
			totals = append(totals, line)
		}
	}
	return table, totals
}

// aligned puts the cells of the table below one another.
func aligned(text string, columns int) string {
	lines := strings.Split(text, "\n")
	width := make([]int, columns)
	for _, l := range lines {
		if cells := strings.Fields(l); len(cells) == columns {
			for i, c := range cells {
				width[i] = max(width[i], len(c))
			}
		}
	}
	for n, l := range lines {
		if cells := strings.Fields(l); columns > 0 && len(cells) == columns {
			for i := range cells {
				cells[i] = fmt.Sprintf("%-*s", width[i], cells[i])
			}
			lines[n] = strings.TrimRight(strings.Join(cells, "  "), " ")
		}
	}
	return strings.Join(lines, "\n")
}

// sides are the sides of the scene that are known so far, one of each unit, of containers one of each consist.
func (s scene) sides(all *told) (sides []*pb.Side) {
	seen := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(all.crossings)) {
		x := all.crossings[key]
		if x.Border != s.border || x.FromCountry != s.from || x.UnitKind != s.kind || x.Consist != "" && seen[x.Consist] {
			continue
		}
		seen[x.Consist] = true
		if s.role == "inbound" {
			sides = append(sides, x.Inbound)
		} else {
			sides = append(sides, x.Outbound)
		}
	}
	return sides
}

// waits tells whether a side is still occupied.
func waits(side *pb.Side) bool {
	return side.GetArrived().GetAt() != 0 && side.Departed.GetAt() == 0 && side.State != pb.State_CLOSED
}

// row is what the stages say at a moment.
func (s scene) row(all *told, head []string, at int64) (cells []string) {
	const dayMS = 24 * 3_600_000
	within := func(m *pb.Moment) int { return one(m.GetAt() > at-dayMS && m.GetAt() <= at) }
	n := map[string]int{}
	oldest := int64(0)
	for _, side := range s.sides(all) {
		n["came"] += within(side.Arrived)
		n["went"] += within(side.Departed)
		if waits(side) {
			n["in_station"]++
			oldest = max(oldest, at-side.Arrived.At)
		}
	}
	n["containers_in_port"] = 4 * n["in_station"]
	for _, f := range all.facts {
		for _, h := range f.Held {
			n["held"] += one(h.BoundFor == s.border && h.To == 0)
		}
	}
	n["waiting"] = n["in_station"] + n["held"]
	for _, v := range all.status {
		n["off_alat"] += one(v.UnitKind == pb.UnitKind_VESSEL && v.State != pb.State_CLOSED && v.Standing && v.Place == "")
	}
	for _, v := range all.visits {
		if v.UnitKind == pb.UnitKind_VESSEL && v.Place == "az-alat" {
			n["came_to_alat"] += within(v.Arrived)
		}
	}
	for _, column := range head {
		switch column {
		case "day":
			cells = append(cells, time.UnixMilli(at).UTC().Format(time.DateOnly))
		case "oldest_h":
			cells = append(cells, fmt.Sprintf("%.1f", float64(oldest)/3_600_000))
		default:
			cells = append(cells, fmt.Sprint(n[column]))
		}
	}
	return cells
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

// total is a figure of the whole story.
func (s scene) total(all *told, name string) string {
	var side, held, off []float64
	for _, x := range s.sides(all) {
		if x.GetArrived().GetBasis() == pb.Basis_REPORT && x.GetDeparted().GetBasis() == pb.Basis_REPORT {
			side = append(side, float64(x.Departed.At-x.Arrived.At)/3_600_000)
		}
	}
	for _, f := range all.facts {
		for _, h := range f.Held {
			if h.BoundFor == s.border && h.To != 0 {
				held = append(held, float64(h.To-h.From)/3_600_000)
			}
		}
	}
	for _, v := range all.visits {
		if v.UnitKind == pb.UnitKind_VESSEL && v.LineStandingS > 0 {
			off = append(off, float64(v.LineStandingS)/3600)
		}
	}
	slices.Sort(side)
	if len(side) == 0 {
		return name + " of none"
	}
	switch name {
	case "trains":
		return fmt.Sprintf("%s %d", name, len(side))
	case "side_mean_h":
		return fmt.Sprintf("%s %.2f", name, sum(side)/float64(len(side)))
	case "side_median_h":
		return fmt.Sprintf("%s %.2f", name, (side[(len(side)-1)/2]+side[len(side)/2])/2)
	case "side_max_h":
		return fmt.Sprintf("%s %.2f", name, slices.Max(side))
	case "held_trains":
		return fmt.Sprintf("%s %d", name, len(held))
	case "held_total_h":
		return fmt.Sprintf("%s %.1f", name, sum(held))
	case "held_longest_h":
		return fmt.Sprintf("%s %.2f", name, slices.Max(append(held, 0)))
	case "off_port_vessels":
		return fmt.Sprintf("%s %d", name, len(off))
	case "off_port_total_h":
		return fmt.Sprintf("%s %.1f", name, sum(off))
	}
	return name + " ?"
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}
