package network

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// WriteTables prints the corridors as tables.
func (c *Catalog) WriteTables(w io.Writer) error {
	for _, k := range c.Corridors {
		fmt.Fprintf(w, "%s  (%s, %s, %.0f km)\n", k.Name, k.ID, k.Status, k.Km(len(k.Places)-1))
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		fmt.Fprintln(t, "  KM\tFROM LAST\tPLACE\tCC\tNAME\tKIND\tGAUGE\tBORDER, GAUGE BREAK\tNORM\tPOSITION")
		for i, id := range k.Places {
			p := c.byID[id]
			step := ""
			if i > 0 {
				s := c.Between(k.Places[i-1], id)
				step = fmt.Sprintf("%.0f %s", s.Km, s.Mode)
			}
			fmt.Fprintf(t, "  %.0f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Km(i), step, id, p.Country, p.Name, strings.Join(p.Kinds, " "),
				strings.Trim(fmt.Sprint(p.Gauges), "[]"), c.nodes(id), p.norm(), p.quality())
		}
		if err := t.Flush(); err != nil {
			return fmt.Errorf("print corridor %s: %w", k.ID, err)
		}
		fmt.Fprintln(w)
	}
	_, err := fmt.Fprintf(w, "Norms are estimates. Positions: %s where osm.\n", Attribution)
	return err
}

func (c *Catalog) nodes(place string) string {
	var out []string
	for _, s := range c.sides[place] {
		out = append(out, s.Border.ID)
	}
	for _, g := range c.GaugeBreaks {
		for _, id := range g.Places {
			if id == place {
				out = append(out, fmt.Sprintf("%s %d/%d", g.ID, g.From, g.To))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (p *Place) norm() string {
	if p.DwellMed == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f h", p.DwellMed.Hours())
}

func (p *Place) quality() string {
	if p.Position == nil {
		return "reports only"
	}
	return cmp.Or(p.Position.Quality, "surveyed")
}
