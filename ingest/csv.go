package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"strconv"
	"strings"

	"corridorwatch/schemas"
)

// csvType is the content type of a row that could not be read.
const csvType = "text/csv"

// csvReader makes an event out of each row. The fields of a row, as the mapping names them, become a CloudEvent in JSON, which is
// read like any other: so every event type can be mapped as far as its data is flat, and one codec says what is right.
type csvReader struct {
	lines lines
	m     Mapping
	plans [][]binding // of each event that a row makes
	cells []string
	ready []item // made of the row in hand, not yet given out
	row   []byte // the row in hand, as it came
	buf   []byte
}

// newCSV reads the header and ties the mapping to its columns.
func newCSV(r io.Reader, m Mapping) (*csvReader, error) {
	c := &csvReader{lines: newLines(r), m: m}
	if err := c.m.complete(); err != nil {
		return nil, err
	}
	if err := c.readRow(); err != nil {
		if err == io.EOF {
			return nil, fmt.Errorf("the file is empty: its first line must name the columns")
		}
		return nil, err
	}
	header, f := splitCSV(bytes.TrimPrefix(c.row, []byte("\ufeff")), c.m.comma(), nil)
	if f != nil {
		return nil, fmt.Errorf("header: %w", f)
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	var problems []error
	for _, fields := range c.m.events() {
		plan, err := c.m.bind(header, fields)
		c.plans, problems = append(c.plans, plan), append(problems, err)
	}
	return c, errors.Join(problems...)
}

func (c *csvReader) next() (item, error) {
	if len(c.ready) == 0 {
		if err := c.readRow(); err != nil {
			return item{}, err
		}
		c.ready = c.read()
	}
	it := c.ready[0]
	c.ready = c.ready[1:]
	return it, nil
}

// read makes what the row in hand says: at least one item.
func (c *csvReader) read() []item {
	var f *schemas.Fault
	if c.cells, f = splitCSV(c.row, c.m.comma(), c.cells[:0]); f != nil {
		return []item{c.broken(f)}
	}
	var made []item
	for _, plan := range c.plans {
		if there, f := c.build(plan); f != nil {
			return []item{c.broken(f)} // too few cells: once, and not for each event
		} else if there || len(c.plans) == 1 {
			made = append(made, c.event())
		}
	}
	if made == nil {
		made = []item{c.broken(&schemas.Fault{Reason: schemas.MissingField, Detail: "the row makes no event: none of the columns for a time is filled"})}
	}
	return made
}

func (c *csvReader) broken(f *schemas.Fault) item {
	return item{fault: f, own: true, raw: bytes.Clone(c.row), ct: csvType}
}

// event reads what build has written.
func (c *csvReader) event() item {
	ev, f := schemas.DecodeJSON(c.buf)
	if f != nil {
		// Kept as the event it would have been: that can be mended and tried again, under an id of its own.
		id := fmt.Appendf(nil, `"row-%016x"`, fnv1a(c.buf))
		return item{fault: f, raw: bytes.Replace(c.buf, []byte(quotedIDOfRow), id, 1), ct: schemas.JSONType}
	}
	if ev.Id == idOfRow {
		ev.Id = ""
		ev.Id = strconv.FormatUint(schemas.Hash(ev), 16)
	}
	return item{ev: ev, raw: c.row, ct: csvType}
}

func fnv1a(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b)
	return h.Sum64()
}

// maxRowLines bounds how many lines a quoted cell may span: a forgotten quote must not swallow the rest of the file.
const maxRowLines = 50

// readRow reads the next row that is not blank: a line, or more while a quote is open.
func (c *csvReader) readRow() error {
	for {
		line, _, err := c.lines.next()
		if err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			c.row = append(c.row[:0], line...)
			break
		}
	}
	for n := 1; n < maxRowLines && bytes.Count(c.row, []byte{'"'})%2 == 1; n++ {
		line, _, err := c.lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		c.row = append(append(c.row, '\n'), line...)
	}
	return nil
}

// splitCSV splits a row (RFC 4180) and appends its cells.
func splitCSV(row []byte, comma byte, cells []string) ([]string, *schemas.Fault) {
	for i := 0; ; i++ { // i stands at the comma before a cell, but for the first
		if i < len(row) && row[i] == '"' {
			cell, end, ok := quoted(row, i+1)
			if !ok || end < len(row) && row[end] != comma {
				return cells, &schemas.Fault{Reason: schemas.Unreadable, Detail: fmt.Sprintf("column %d: a quote is not closed", len(cells)+1)}
			}
			cells, i = append(cells, cell), end
		} else {
			end := bytes.IndexByte(row[min(i, len(row)):], comma)
			if end < 0 {
				end = len(row) - i
			}
			cells, i = append(cells, string(row[i:i+end])), i+end
		}
		if i >= len(row) {
			return cells, nil
		}
	}
}

// quoted reads a cell behind its opening quote and returns the index behind its closing one.
func quoted(row []byte, i int) (cell string, end int, ok bool) {
	var out []byte
	for ; i < len(row); i++ {
		if row[i] == '"' {
			if i+1 == len(row) || row[i+1] != '"' {
				return string(out), i + 1, true
			}
			i++
		}
		out = append(out, row[i])
	}
	return "", i, false
}

// build writes the row as a CloudEvent, and tells whether it says when it happened, and how much where an amount is mapped.
func (c *csvReader) build(plan []binding) (there bool, f *schemas.Fault) {
	envelope, data := []byte(`{"specversion":"1.0"`), []byte(nil)
	there = true
	for i := range plan {
		b := &plan[i]
		v, f := b.value(c.cells)
		if f != nil {
			return false, f
		}
		if v == "" {
			there = there && b.field != "time" && b.field != "amount"
			continue
		}
		if b.isTime {
			v = c.m.time(v)
		}
		if word := strings.ToLower(v); b.isFlag && (word == "true" || word == "false") {
			data = append(fmt.Appendf(data, `,"%s":`, b.field), word...)
		} else if b.inData {
			data = appendMember(data, b.field, v)
		} else {
			envelope = appendMember(envelope, b.field, v)
		}
	}
	c.buf = append(c.buf[:0], envelope...)
	if data != nil {
		c.buf = append(append(append(c.buf, `,"data":{`...), data[1:]...), '}')
	}
	c.buf = append(c.buf, '}')
	return there, nil
}

// appendMember appends ,"name":value. What is a number in JSON is written as one; where a text is wanted, it is read as a text.
func appendMember(b []byte, name, value string) []byte {
	b = append(append(append(b, ',', '"'), name...), '"', ':')
	if isNumber(value) {
		return append(b, value...)
	}
	return appendQuoted(b, value)
}

func appendQuoted(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}

// isNumber tells whether s is a JSON number.
func isNumber(s string) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return false
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	return i == len(s)
}
