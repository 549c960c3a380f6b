package network

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// csv gathers the places of a table: id, name, lat, lon, radius_m and, as its owner likes, further columns. Values of a list are
// separated by blanks; an empty cell is as good as none. Each row becomes the entry it would be in YAML, so both are checked alike.
func (l *loader) csv(file string, b []byte) {
	b = bytes.TrimPrefix(b, []byte("\ufeff")) // as spreadsheets write it
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	var head []string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			line := 1
			if pe := (*csv.ParseError)(nil); errors.As(err, &pe) {
				line = pe.Line
			}
			l.bad(file, line, "%v: mend the quotes of this row", err)
			return
		}
		line, _ := r.FieldPos(0)
		switch {
		case head == nil:
			if head = row; !l.columns(file, line, head) {
				return
			}
		case len(row) != len(head):
			l.bad(file, line, "%d cells under a head of %d columns: add what is missing, put texts with commas into quotes", len(row), len(head))
		default:
			l.raw["places"] = append(l.raw["places"], raw{file: file, node: rowNode(line, head, row)})
		}
	}
}

func columns() []string {
	return []string{"id", "name", "lat", "lon", "radius_m", "country", "zone", "kinds", "gauges", "quality", "aliases", "dwell_h", "dwell_p95_h",
		"locode", "esr", "taf", "valid_from", "valid_to"}
}

func (l *loader) columns(file string, line int, head []string) bool {
	before := len(l.problems)
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns(), name) {
			l.bad(file, line, "column %q means nothing: use %s", head[i], strings.Join(columns(), ", "))
		}
		if slices.Contains(head[:i], name) {
			l.bad(file, line, "column %s is there twice: remove one", name)
		}
		head[i] = name
	}
	if !slices.Contains(head, "id") {
		l.bad(file, line, "no column id: the first line of the table names its columns, like id,name,lat,lon,radius_m")
	}
	return len(l.problems) == before
}

// rowNode is the YAML entry that says the same as a row.
func rowNode(line int, head, row []string) *yaml.Node {
	scalar := func(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: s, Line: line} }
	list := func(values ...string) *yaml.Node {
		n := &yaml.Node{Kind: yaml.SequenceNode, Line: line}
		for _, v := range values {
			n.Content = append(n.Content, scalar(v))
		}
		return n
	}
	out := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	codes := &yaml.Node{Kind: yaml.MappingNode, Line: line}
	put := func(to *yaml.Node, key string, value *yaml.Node) { to.Content = append(to.Content, scalar(key), value) }
	lat, lon := "", ""
	for i, key := range head {
		cell := strings.TrimSpace(row[i])
		switch {
		case cell == "":
		case key == "lat":
			lat = cell
		case key == "lon":
			lon = cell
		case key == "locode" || key == "esr" || key == "taf":
			put(codes, key, list(strings.Fields(cell)...))
		case key == "kinds" || key == "gauges":
			put(out, key, list(strings.Fields(cell)...))
		default:
			put(out, key, scalar(cell))
		}
	}
	if lat != "" || lon != "" {
		put(out, "at", list(lat, lon))
	}
	if len(codes.Content) > 0 {
		put(out, "codes", codes)
	}
	return out
}
