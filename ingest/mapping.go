package ingest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"corridorwatch/schemas"
)

// Mapping says how the columns of a CSV file make events. Fields are the attributes of a CloudEvent (type, source, id, subject,
// time, recordedat, classifier) and the fields of its data (lat, lon, place ...). A field's value is one of
//
//   - the name of a column: its cell;
//   - a text with columns in braces: "Caltrain:{number}:{date}". A part of a cell is taken by "{train_id[9:]}", "{train_id[:8]}";
//   - anything else: the same text for every row.
//
// An empty cell is a field that is not given. Where no id is mapped, an event's id is the hash of its content, so that sending the
// same row again changes nothing; rows that are the same in every mapped field are one event.
//
// A row may make several events: then Fields is what they have in common, and each of Events adds its own. Of a row only those events
// are made whose time is given, and whose amount if they have one; a row of which none is made is a fault.
type Mapping struct {
	Fields map[string]string   `yaml:"fields"`
	Events []map[string]string `yaml:"events"`
	// Columns are names of columns that a file may do without: their cells are empty then.
	Columns []string `yaml:"columns"`
	// Sort lets all rows be read before the first event is sent, and sends the events in order of time: for files that are written
	// trip by trip. Time must not go back by more than the lateness in what is sent.
	Sort bool `yaml:"sort"`
	// TimeLayouts are tried in order: layouts of Go's time package, "unix" (seconds) or "unixms". RFC 3339 is always understood.
	TimeLayouts []string `yaml:"time_layouts"`
	// TimeZone (IANA name) is that of times without an offset.
	TimeZone string `yaml:"time_zone"`
	// Comma is the separator, "," if empty; "tab" is one.
	Comma string `yaml:"comma"`

	zone *time.Location
}

// ParseMapping reads a mapping as it is written on a command line: time=time,subject=train_id,type=train.position. Options of the
// mapping are written the same way: time_zone=Asia/Almaty, time_layouts=2006-01-02 15:04:05, comma=;
func ParseMapping(s string) (Mapping, error) {
	m := Mapping{Fields: map[string]string{}}
	for _, pair := range strings.Split(s, ",") {
		field, value, ok := strings.Cut(pair, "=")
		field, value = strings.TrimSpace(field), strings.TrimSpace(value)
		switch {
		case !ok || field == "" || value == "":
			return m, fmt.Errorf("mapping %q: want field=column, field=text with {column}, or field=text", pair)
		case field == "time_zone":
			m.TimeZone = value
		case field == "time_layouts":
			m.TimeLayouts = append(m.TimeLayouts, value)
		case field == "comma":
			m.Comma = value
		default:
			m.Fields[field] = value
		}
	}
	return m, m.complete()
}

// LoadMapping reads a mapping from a YAML file.
func LoadMapping(path string) (Mapping, error) {
	f, err := os.Open(path)
	if err != nil {
		return Mapping{}, fmt.Errorf("read mapping: %w", err)
	}
	defer f.Close()
	m, err := readMapping(f)
	if err != nil {
		return m, fmt.Errorf("mapping %s: %w", path, err)
	}
	return m, nil
}

func readMapping(r io.Reader) (m Mapping, err error) {
	d := yaml.NewDecoder(r)
	d.KnownFields(true)
	if err := d.Decode(&m); err != nil {
		return m, err
	}
	return m, m.complete()
}

// defaultSource is the source of events whose mapping names none.
const defaultSource = "csv"

// sayFor is an example of what may be mapped to a field.
func sayFor(field string) string {
	return map[string]string{"type": "type=train.position", "time": "time=COLUMN", "subject": "subject={operator}:{number}:{date}"}[field]
}

// complete checks the mapping and fills in what it leaves open.
func (m *Mapping) complete() error {
	var problems []error
	for i, fields := range m.events() {
		for _, f := range []string{"type", "time", "subject"} {
			switch {
			case fields[f] != "" || f == "subject" && fields["type"] == "clock.tick":
			case len(m.Events) > 0:
				problems = append(problems, fmt.Errorf("event %d: nothing is mapped to %q: say %s", i+1, f, sayFor(f)))
			default:
				problems = append(problems, fmt.Errorf("nothing is mapped to %q: say %s", f, sayFor(f)))
			}
		}
	}
	m.zone = time.UTC
	if m.TimeZone != "" {
		var err error
		if m.zone, err = time.LoadLocation(m.TimeZone); err != nil {
			problems = append(problems, fmt.Errorf("time_zone: %w", err))
		}
	}
	if m.Comma != "" && m.Comma != "tab" && (len(m.Comma) != 1 || m.Comma == `"`) {
		problems = append(problems, fmt.Errorf("comma %q: want one character, or tab", m.Comma))
	}
	return errors.Join(problems...)
}

// events are the fields of each event that a row makes.
func (m *Mapping) events() []map[string]string {
	if len(m.Events) == 0 {
		return []map[string]string{m.Fields}
	}
	var all []map[string]string
	for _, own := range m.Events {
		fields := maps.Clone(m.Fields)
		maps.Copy(fields, own)
		all = append(all, fields)
	}
	return all
}

func (m *Mapping) comma() byte {
	switch m.Comma {
	case "":
		return ','
	case "tab":
		return '\t'
	}
	return m.Comma[0]
}

// time brings a cell into RFC 3339. What fits no layout stays as it is; the codec will say so.
func (m *Mapping) time(v string) string {
	if _, _, ok := schemas.ParseTime(v); ok {
		return v
	}
	for _, layout := range m.TimeLayouts {
		if layout == "unix" || layout == "unixms" {
			if n, err := strconv.ParseFloat(v, 64); err == nil {
				if layout == "unix" {
					n *= 1000
				}
				return string(schemas.AppendTime(nil, int64(n), 0))
			}
			continue
		}
		if t, err := time.ParseInLocation(layout, v, m.zone); err == nil {
			_, offset := t.Zone()
			return string(schemas.AppendTime(nil, t.UnixMilli(), int32(offset/60)))
		}
	}
	return v
}

// idOfRow stands for the id until the row's content is known.
const (
	idOfRow       = "\u0000row"
	quotedIDOfRow = `"\u0000row"` // as it is written in JSON
)

var (
	envelopeFields = []string{"type", "source", "id", "subject", "time", "recordedat", "recorded_at", "classifier"}
	timeFields     = []string{"time", "recordedat", "recorded_at", "planned_time", "from", "until"}
	flagFields     = []string{"official"}
	cellFields     = []string{"time", "lat", "lon", "id"} // the same for every row makes no sense
)

// binding is one field of the mapping, tied to the columns of a file.
type binding struct {
	field                  string
	isTime, isFlag, inData bool
	parts                  []bound
}

// bound is a piece of text, or a cell or part of it.
type bound struct {
	text     string
	column   int // asText: text; absent: of a column the file has not
	from, to int // of the cell; to -1: its end
}

const (
	asText = -1
	absent = -2
)

// bind ties the fields of one event to the columns of a header.
func (m *Mapping) bind(header []string, fields map[string]string) ([]binding, error) {
	var problems []error
	var plan []binding
	add := func(field, value string) {
		b := binding{field: field, isTime: slices.Contains(timeFields, field), isFlag: slices.Contains(flagFields, field), inData: !slices.Contains(envelopeFields, field)}
		var err error
		switch {
		case slices.Contains(m.Columns, value) && !slices.Contains(header, value):
			b.parts = []bound{{column: absent}}
		default:
			if b.parts, err = bindValue(value, header); err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", field, err))
			}
		}
		if slices.Contains(cellFields, field) && len(b.parts) == 1 && b.parts[0].column == asText && value != idOfRow {
			problems = append(problems, fmt.Errorf("%s: there is no column %q; columns are %s", field, value, strings.Join(header, ", ")))
		}
		plan = append(plan, b)
	}
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		add(field, fields[field])
	}
	if fields["id"] == "" {
		add("id", idOfRow)
	}
	if fields["source"] == "" {
		add("source", defaultSource)
	}
	return plan, errors.Join(problems...)
}

func bindValue(value string, header []string) (parts []bound, err error) {
	if i := slices.Index(header, value); i >= 0 {
		return []bound{{column: i, to: -1}}, nil
	}
	for value != "" {
		text, rest, found := strings.Cut(value, "{")
		if text != "" {
			parts = append(parts, bound{text: text, column: asText})
		}
		if !found {
			break
		}
		inner, after, closed := strings.Cut(rest, "}")
		if !closed {
			return nil, fmt.Errorf("a brace is not closed in %q", value)
		}
		part, err := bindColumn(inner, header)
		if err != nil {
			return nil, err
		}
		parts, value = append(parts, part), after
	}
	return parts, nil
}

// bindColumn reads name, name[from:], name[:to] or name[from:to].
func bindColumn(s string, header []string) (bound, error) {
	name, slice, sliced := strings.Cut(s, "[")
	b := bound{column: slices.Index(header, strings.TrimSpace(name)), to: -1}
	if b.column < 0 {
		return b, fmt.Errorf("there is no column %q; columns are %s", name, strings.Join(header, ", "))
	}
	if !sliced {
		return b, nil
	}
	from, to, ok := strings.Cut(strings.TrimSuffix(slice, "]"), ":")
	bad := fmt.Errorf("%q: a part of a cell is written name[from:to], with numbers from 0", s)
	if !ok || !strings.HasSuffix(slice, "]") {
		return b, bad
	}
	var err error
	if from != "" {
		if b.from, err = strconv.Atoi(from); err != nil || b.from < 0 {
			return b, bad
		}
	}
	if to != "" {
		if b.to, err = strconv.Atoi(to); err != nil || b.to < b.from {
			return b, bad
		}
	}
	return b, nil
}

// value puts the field together out of the cells of a row. If all cells it needs are empty, the field is not given.
func (b *binding) value(cells []string) (string, *schemas.Fault) {
	var out strings.Builder
	columns, filled := 0, 0
	for _, p := range b.parts {
		if p.column == asText {
			out.WriteString(p.text)
			continue
		}
		if p.column == absent {
			columns++
			continue
		}
		if p.column >= len(cells) {
			return "", &schemas.Fault{Reason: schemas.Unreadable, Detail: fmt.Sprintf("the row has %d columns, column %d is needed for %s",
				len(cells), p.column+1, b.field)}
		}
		cell := strings.TrimSpace(cells[p.column])
		if p.to >= 0 {
			cell = cell[:min(p.to, len(cell))]
		}
		cell = cell[min(p.from, len(cell)):]
		columns++
		if cell != "" {
			filled++
		}
		out.WriteString(cell)
	}
	if columns > 0 && filled == 0 {
		return "", nil
	}
	return out.String(), nil
}
