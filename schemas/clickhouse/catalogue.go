package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/network"
)

// loadCatalogue writes the catalogue tables anew if they hold another catalogue. The hash is written last, so that a load broken
// off half-way is done again.
func (c Config) loadCatalogue(ctx context.Context, conn driver.Conn, cat *network.Catalog) error {
	hash := cat.Hash()
	var loaded uint64
	err := conn.QueryRow(ctx, "SELECT count() FROM "+c.Database+".catalogue WHERE hash = ?", hash).Scan(&loaded)
	if err != nil {
		return fmt.Errorf("look for the loaded catalogue: %w", err)
	}
	if loaded > 0 {
		return nil
	}
	for _, t := range []struct {
		name string
		rows [][]any
	}{
		{"catalogue_places", placeRows(cat)},
		{"catalogue_borders", borderRows(cat)},
		{"catalogue_corridors", corridorRows(cat)},
		{"catalogue_sections", sectionRows(cat)},
	} {
		if err := c.replace(ctx, conn, t.name, t.rows); err != nil {
			return fmt.Errorf("load the catalogue: table %s: %w", t.name, err)
		}
	}
	for _, d := range []string{"places", "borders", "corridors"} {
		if err := conn.Exec(ctx, "SYSTEM RELOAD DICTIONARY "+c.Database+"."+d); err != nil {
			return fmt.Errorf("reload dictionary %s: %w", d, err)
		}
	}
	if err := c.replace(ctx, conn, "catalogue (hash)", [][]any{{hash}}); err != nil {
		return fmt.Errorf("note the loaded catalogue: %w", err)
	}
	return nil
}

// replace empties a table and fills it. For a moment readers see it empty; the dictionaries keep what they had until reloaded.
func (c Config) replace(ctx context.Context, conn driver.Conn, table string, rows [][]any) error {
	var name string
	fmt.Sscan(table, &name)
	if err := conn.Exec(ctx, "TRUNCATE TABLE "+c.Database+"."+name); err != nil {
		return err
	}
	batch, err := conn.PrepareBatch(ctx, "INSERT INTO "+c.Database+"."+table)
	if err != nil {
		return err
	}
	defer batch.Close()
	for _, r := range rows {
		if err := batch.Append(r...); err != nil {
			return err
		}
	}
	return batch.Send()
}

func placeRows(cat *network.Catalog) (rows [][]any) {
	areas := map[string]string{}
	for _, a := range cat.Areas {
		for _, p := range a.Places {
			areas[p] = a.ID
		}
	}
	for _, p := range cat.Places {
		var at network.Position
		if p.Position != nil {
			at = *p.Position
		}
		zone := ""
		if p.Zone != nil {
			zone = p.Zone.String()
		}
		rows = append(rows, []any{
			p.ID, p.Name, p.Country, p.Kinds, zone, uint16s(p.Gauges), p.Position != nil, at.Lat, at.Lon, at.Quality,
			p.Fence.RadiusM, areas[p.ID],
		})
	}
	return rows
}

func borderRows(cat *network.Catalog) (rows [][]any) {
	for _, b := range cat.Borders {
		rows = append(rows, []any{
			b.ID, b.Name, b.A.Country, b.B.Country, b.A.Places, b.B.Places, b.GaugeBreak, b.Customs, b.Sanitary, b.Sea, b.Area,
			b.A.Day.Zone.String(), minutes(b.A.Day.Start), b.B.Day.Zone.String(), minutes(b.B.Day.Start),
		})
	}
	return rows
}

func corridorRows(cat *network.Catalog) (rows [][]any) {
	for _, r := range cat.Corridors {
		km := make([]float64, len(r.Places))
		for i := range km {
			km[i] = r.Km(i)
		}
		rows = append(rows, []any{r.ID, r.Name, r.Status, r.ThroughCentralAsia, r.Places, km})
	}
	return rows
}

func sectionRows(cat *network.Catalog) (rows [][]any) {
	for _, s := range cat.Sections {
		rows = append(rows, []any{s.ID, s.From, s.To, s.Km, s.Mode, s.Status, uint16(s.Gauge), s.MaxSpeedKmh, s.RunningKmh})
	}
	return rows
}

func minutes(d time.Duration) uint16 { return uint16(d / time.Minute) }

func uint16s(numbers []int) []uint16 {
	out := make([]uint16, len(numbers))
	for i, n := range numbers {
		out[i] = uint16(n)
	}
	return out
}
