package sink

import (
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/schemas/pb"
)

// sheet gathers rows column by column, as ClickHouse takes them.
type sheet struct {
	kind    kind
	into    []string // tables that get these rows
	columns []column
	add     func(rec *pb.Record)
	rows    int
}

// column is one column of a sheet: what has been gathered, and its type on the wire. The server converts where the table's type
// is another one of the same meaning (LowCardinality, enumerations), which spares the driver a look-up a cell.
type column struct {
	name, typ string
	cells     cells
}

// cells are the values of one column.
type cells interface {
	appendTo(c driver.BatchColumn) error
	reset()
}

type flat[T any] struct{ values []T }

func (f *flat[T]) appendTo(c driver.BatchColumn) error { return c.Append(f.values) }
func (f *flat[T]) reset()                              { clear(f.values); f.values = f.values[:0] }

// lists holds an array a row. Row by row the driver takes them without reflection.
type lists[T any] struct{ values [][]T }

func (l *lists[T]) appendTo(c driver.BatchColumn) error {
	for _, v := range l.values {
		if err := c.AppendRow(v); err != nil {
			return err
		}
	}
	return nil
}
func (l *lists[T]) reset() { clear(l.values); l.values = l.values[:0] }

// take adds a row.
func (s *sheet) take(rec *pb.Record) {
	s.add(rec)
	s.rows++
}

// reset empties the sheet for other rows.
func (s *sheet) reset() {
	for _, c := range s.columns {
		c.cells.reset()
	}
	s.rows = 0
}

// shape builds a sheet for messages of type B.
type shape[B any] struct {
	sheet *sheet
	fill  []func(rec *pb.Record, b B)
}

// newShape begins a sheet whose rows come from the message that body finds in a record.
func newShape[B any](k kind, body func(*pb.Record) B, into ...string) *shape[B] {
	s := &shape[B]{sheet: &sheet{kind: k, into: into}}
	s.sheet.add = func(rec *pb.Record) {
		b := body(rec)
		for _, f := range s.fill {
			f(rec, b)
		}
	}
	return s
}

func (s *shape[B]) column(name, typ string, c cells, fill func(rec *pb.Record, b B)) {
	s.sheet.columns = append(s.sheet.columns, column{name, typ, c})
	s.fill = append(s.fill, fill)
}

// value adds a column of plain values.
func value[B, T any](s *shape[B], name, typ string, get func(B) T) {
	v := &flat[T]{}
	s.column(name, typ, v, func(_ *pb.Record, b B) { v.values = append(v.values, get(b)) })
}

func text[B any](s *shape[B], name string, get func(B) string) { value(s, name, "String", get) }
func flag[B any](s *shape[B], name string, get func(B) bool)   { value(s, name, "Bool", get) }
func count[B any](s *shape[B], name string, get func(B) uint32) {
	value(s, name, "UInt32", get)
}
func seconds[B any](s *shape[B], name string, get func(B) int64) { value(s, name, "Int64", get) }
func float[B any](s *shape[B], name string, get func(B) float64) {
	value(s, name, "Float64", get)
}

const timeType = "DateTime64(3, 'UTC')"

func at[B any](s *shape[B], name string, get func(B) int64) { value(s, name, timeType, get) }

// enum adds a column of an enumeration, whose numbers are the same in protobuf and ClickHouse.
func enum[B any, E ~int32](s *shape[B], name string, get func(B) E) {
	value(s, name, "Int8", func(b B) int8 { return int8(get(b)) })
}

// moment adds the four columns of a moment.
func moment[B any](s *shape[B], name string, get func(B) *pb.Moment) {
	at(s, name, func(b B) int64 { return get(b).GetAt() })
	enum(s, name+"_basis", func(b B) pb.Basis { return get(b).GetBasis() })
	at(s, name+"_earliest", func(b B) int64 { return get(b).GetEarliest() })
	at(s, name+"_latest", func(b B) int64 { return get(b).GetLatest() })
}

// list adds a column of arrays: one field of each element of a repeated message.
func list[B, E, T any](s *shape[B], name, typ string, elements func(B) []E, get func(E) T) {
	v := &lists[T]{}
	s.column(name, fmt.Sprintf("Array(%s)", typ), v, func(_ *pb.Record, b B) {
		var out []T
		if from := elements(b); len(from) > 0 {
			out = make([]T, len(from))
			for i, e := range from {
				out[i] = get(e)
			}
		}
		v.values = append(v.values, out)
	})
}

// texts adds a column of arrays of text.
func texts[B any](s *shape[B], name string, get func(B) []string) {
	v := &lists[string]{}
	s.column(name, "Array(String)", v, func(_ *pb.Record, b B) { v.values = append(v.values, get(b)) })
}
