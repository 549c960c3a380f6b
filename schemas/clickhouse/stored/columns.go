// Package stored reads the tables of an installation back into the messages their rows were made of: what recompute and replay go by.
// Each column stands in one line, as in the sink, which writes them.
package stored

import (
	"context"
	"fmt"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// reader makes a message of type B of each row.
type reader[B any] struct {
	exprs []string
	dests []any
	fill  []func(*B)
}

// column reads one expression and puts it into the message.
func column[B, T any](r *reader[B], expr string, put func(*B, T)) {
	v := new(T)
	r.exprs, r.dests = append(r.exprs, expr), append(r.dests, v)
	r.fill = append(r.fill, func(b *B) { put(b, *v) })
}

func text[B any](r *reader[B], name string, at func(*B) *string) {
	column(r, quoted(name), func(b *B, v string) { *at(b) = v })
}

func texts[B any](r *reader[B], name string, put func(*B, []string)) { column(r, quoted(name), put) }

func flag[B any](r *reader[B], name string, at func(*B) *bool) {
	column(r, quoted(name), func(b *B, v bool) { *at(b) = v })
}

func count[B any](r *reader[B], name string, at func(*B) *uint32) {
	column(r, quoted(name), func(b *B, v uint32) { *at(b) = v })
}

// when reads a time as milliseconds.
func when[B any](r *reader[B], name string, at func(*B) *int64) {
	column(r, millis(name), func(b *B, v int64) { *at(b) = v })
}

// enum reads an enumeration, whose numbers are the same in ClickHouse and protobuf.
func enum[B any, E ~int32](r *reader[B], name string, at func(*B) *E) {
	column(r, "toInt8("+quoted(name)+")", func(b *B, v int8) { *at(b) = E(v) })
}

func quoted(name string) string { return "`" + name + "`" }
func millis(name string) string { return "toUnixTimestamp64Milli(" + quoted(name) + ")" }

// millisOf is the same of an array.
func millisOf(name string) string {
	return "arrayMap(t -> toUnixTimestamp64Milli(t), " + quoted(name) + ")"
}

// each calls take for every row of `table FINAL` and what follows, such as WHERE and ORDER BY, in one shard after the other.
func (r *reader[B]) each(ctx context.Context, shards []driver.Conn, table, rest string, args []any, take func(*B) error) error {
	for _, conn := range shards {
		if err := r.one(ctx, conn, table, rest, args, take); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader[B]) one(ctx context.Context, conn driver.Conn, table, rest string, args []any, take func(*B) error) error {
	query := fmt.Sprintf("SELECT %s FROM %s FINAL %s", strings.Join(r.exprs, ", "), table, rest)
	rows, err := conn.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(r.dests...); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		b := new(B)
		for _, fill := range r.fill {
			fill(b)
		}
		if err := take(b); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", table, err)
	}
	return nil
}
