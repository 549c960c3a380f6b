package network

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// WriteTables prints the corridors as tables, one line a place, for people.
func (c *Catalog) WriteTables(w io.Writer) error {
	for _, k := range c.Corridors {
		if err := c.writeCorridor(w, k); err != nil {
			return fmt.Errorf("print corridor %s: %w", k.ID, err)
		}
	}
	_, err := fmt.Fprintf(w, "~ our own estimate of a length. NORM: usual stop, median/95th percentile, e an estimate. Positions of quality osm: %s.\n", Attribution)
	return err
}

func (c *Catalog) writeCorridor(w io.Writer, k *Corridor) error {
	_, err := fmt.Fprintf(w, "%s  (%s, %s, %.0f km%s)\n", k.Name, k.ID, k.Status, k.Km(len(k.Places)-1), k.Valid.text())
	if err != nil {
		return err
	}
	var t strings.Builder
	tab := tabwriter.NewWriter(&t, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tab, "KM\t+KM\tBY\tPLACE\tNAME\tCC\tKIND\tGAUGE\tBORDER, GAUGE BREAK\tNORM\tPOSITION\tSTATUS")
	for i, id := range k.Places {
		p := c.places[id]
		step, mode, status := "", "", ""
		if i > 0 {
			s := c.Between(k.Places[i-1], id)
			step, mode, status = s.length(), s.by(), s.state()
		}
		fmt.Fprintf(tab, "%.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Km(i), step, mode, id, p.Name, p.Country,
			strings.Join(p.Kinds, ", "), join(p.Gauges, "/"), c.nodes(p), p.norm(), p.quality(), status)
	}
	tab.Flush()
	for line := range strings.Lines(t.String()) {
		if _, err := fmt.Fprintln(w, "  "+strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintln(w)
	return err
}

func (s *Section) length() string {
	if s.Estimate {
		return fmt.Sprintf("~%.0f", s.Km)
	}
	return fmt.Sprintf("%.0f", s.Km)
}

func (s *Section) by() string {
	if s.Gauge == 0 {
		return s.Mode
	}
	return fmt.Sprintf("%s %d", s.Mode, s.Gauge)
}

func (s *Section) state() string {
	out := s.Status + s.Valid.text()
	for _, c := range s.Closures {
		out += ", closed" + c.text()
	}
	return out
}

func (v Validity) text() string {
	out := ""
	if !v.From.IsZero() {
		out = " from " + v.From.Format("2006-01-02")
	}
	if !v.To.IsZero() {
		out += " to " + v.To.Format("2006-01-02")
	}
	return out
}

// nodes lists the borders and gauge breaks of a place.
func (c *Catalog) nodes(p *Place) string {
	var out []string
	for _, s := range c.sides[p.ID] {
		out = append(out, "border "+s.Border.ID)
	}
	for _, g := range c.GaugeBreaks {
		for _, id := range g.Places {
			if id == p.ID {
				out = append(out, fmt.Sprintf("%d/%d", g.From, g.To))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (p *Place) norm() string {
	if p.Dwell == nil {
		return ""
	}
	mark := ""
	if p.Dwell.Estimate {
		mark = " e"
	}
	return fmt.Sprintf("%.4g/%.4g h%s", p.Dwell.Median.Hours(), p.Dwell.P95.Hours(), mark)
}

func (p *Place) quality() string {
	switch {
	case p.Position == nil:
		return "none: reports only"
	case p.Fence.Polygon != nil:
		return p.Position.Quality + ", polygon"
	}
	return fmt.Sprintf("%s, %.4g km", p.Position.Quality, p.Fence.RadiusM/1000)
}

func join(numbers []int, by string) string {
	var out []string
	for _, n := range numbers {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, by)
}
