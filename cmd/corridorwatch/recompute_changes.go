package main

import (
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/clickhouse/stored"
)

// changes is what a recompute did.
type changes struct {
	late   uint64
	byUnit map[string]map[string]*rowCount // unit, table
}

type rowCount struct{ added, changed, deleted int }

func compare(before, after map[string][]*stored.Row) changes {
	c := changes{byUnit: map[string]map[string]*rowCount{}}
	old := map[string]uint64{}
	for _, rows := range before {
		for _, row := range rows {
			old[keyOf(row)] = row.Sum
		}
	}
	for _, rows := range after {
		for _, row := range rows {
			sum, known := old[keyOf(row)]
			delete(old, keyOf(row))
			switch {
			case !known:
				c.of(row).added++
			case sum != row.Sum:
				c.of(row).changed++
			}
		}
	}
	for _, rows := range before {
		for _, row := range rows {
			if _, left := old[keyOf(row)]; left {
				c.of(row).deleted++
			}
		}
	}
	return c
}

func keyOf(row *stored.Row) string {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(&row.Key)
	if err != nil {
		return row.Table + row.Unit // no row of ours: its texts are not UTF-8
	}
	return string(b)
}

func (c *changes) of(row *stored.Row) *rowCount {
	tables := c.byUnit[row.Unit]
	if tables == nil {
		tables = map[string]*rowCount{}
		c.byUnit[row.Unit] = tables
	}
	if tables[row.Table] == nil {
		tables[row.Table] = &rowCount{}
	}
	return tables[row.Table]
}

func (c *changes) add(o changes) {
	c.late += o.late
	if c.byUnit == nil {
		c.byUnit = map[string]map[string]*rowCount{}
	}
	for unit, tables := range o.byUnit {
		c.byUnit[unit] = tables
	}
}

// print writes a line for each of the subjects.
func (c *changes) print(out io.Writer, subjects []subject) {
	for _, s := range subjects {
		fmt.Fprintf(out, "%s: %s\n", s.id, sayTables(c.byUnit[s.id]))
	}
}

func (c *changes) total() string {
	sum := map[string]*rowCount{}
	for _, tables := range c.byUnit {
		for table, t := range tables {
			if sum[table] == nil {
				sum[table] = &rowCount{}
			}
			sum[table].added, sum[table].changed, sum[table].deleted = sum[table].added+t.added, sum[table].changed+t.changed, sum[table].deleted+t.deleted
		}
	}
	return fmt.Sprintf("%d events that had come too late count now; %s", c.late, sayTables(sum))
}

func sayTables(tables map[string]*rowCount) string {
	var parts []string
	for _, table := range stored.Tables {
		t := tables[table]
		if t == nil {
			continue
		}
		var what []string
		for _, n := range []struct {
			n    int
			word string
		}{{t.added, "new"}, {t.changed, "changed"}, {t.deleted, "deleted"}} {
			if n.n > 0 {
				what = append(what, fmt.Sprintf("%d %s", n.n, n.word))
			}
		}
		parts = append(parts, table+" "+strings.Join(what, ", "))
	}
	if len(parts) == 0 {
		return "nothing changed"
	}
	return strings.Join(parts, "; ")
}
