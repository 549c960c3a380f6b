package simulation

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
)

// layout is what the migrations say of a table: its key, and by what its versions are ordered.
type layout struct {
	key       []string
	versioned []string
	version   func(v []any) [2]uint64
}

var layouts = func() map[string]layout {
	visit, leg := []string{"unit", "journey", "place", "n"}, []string{"unit", "journey", "from_place", "to_place", "n"}
	crossing := []string{"unit", "journey", "border", "n"}
	return map[string]layout{
		"train_events": eventLayout, "unit_events": eventLayout, "shipments": eventLayout, "restrictions": eventLayout, "plans": eventLayout,
		"rejects":      {[]string{"id"}, []string{"attempts", "accepted_at", "at"}, rejectVersion},
		"train_status": by("version", "run"), "visits": by("version", visit...), "legs": by("version", leg...), "crossings": by("version", crossing...),
		"restrictions_history": {[]string{"subject", "source", "id", "recorded_at", "hash"}, eventLayout.versioned, eventLayout.version},
		"visits_history":       by("version", append(visit, "version")...),
		"legs_history":         by("version", append(leg, "version")...),
		"crossings_history":    by("version", append(crossing, "version")...),
		"crossing_delays":      by("version", append(crossing, "role")...),
		"delay_stats":          by("version", "area", "border", "role", "direction", "unit_kind", "hour"),
		"alerts":               by("version", "fingerprint"), "alerts_history": by("version", "fingerprint", "version"),
		"recomputed":   by("version", "id", "stage", "subject"),
		"sink_offsets": by("next_offset", "topic", "partition"),
		"ticks":        by("mark", "topic", "partition", "stage", "task"),
	}
}()

// by is the layout of a table whose versions are one number.
func by(version string, key ...string) layout {
	return layout{key, []string{version}, func(v []any) [2]uint64 { return [2]uint64{0, v[0].(uint64)} }}
}

// Events are ordered by (recorded_at, hash), and of equal ones that which was not late counts.
var eventLayout = layout{[]string{"subject", "source", "id"}, []string{"recorded_at", "hash", "late"}, func(v []any) [2]uint64 {
	recorded, hash := uint64(v[0].(time.Time).UnixMilli()), v[1].(uint64)
	low := hash << 1
	if !v[2].(bool) {
		low |= 1
	}
	return [2]uint64{recorded<<1 | hash>>63, low}
}}

// Of rejects the last attempt counts, then the accepted one, then the first.
func rejectVersion(v []any) [2]uint64 {
	attempts := uint64(v[0].(uint32)) << 1
	if v[1].(time.Time).UnixMilli() != 0 {
		attempts |= 1
	}
	return [2]uint64{attempts, ^uint64(v[2].(time.Time).UnixMilli())}
}

// incidental is how a row came about, not what it says.
var incidental = []string{"version", "ingested_at", "known_at", "accepted_at", "deleted"}

// content is what the tables say: the latest rows that are not deleted, as sorted lines of what is not zero.
func (s *store) content() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for name, t := range s.tables {
		if name == "sink_offsets" || name == "ticks" || strings.HasSuffix(name, "_history") {
			continue
		}
		for _, r := range t.rows {
			if text, deleted := r.text(); !deleted {
				lines = append(lines, name+text)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func (r row) text() (text string, deleted bool) {
	return rowText(r.block.ColumnsNames(), func(i int) any { return r.block.Columns[i].Row(r.at, false) })
}

// rowText is what a row says, without what is zero or, of official, unknown: what a table takes for a column that an insert lacks.
func rowText(names []string, value func(i int) any) (text string, deleted bool) {
	b := make([]byte, 0, 1000)
	for i, name := range names {
		v := value(i)
		if name == "deleted" {
			deleted = v.(uint8) != 0
		}
		if slices.Contains(incidental, name) || isZero(v) || name == "official" && v == int8(-1) {
			continue
		}
		b = append(append(append(b, ' '), name...), '=')
		switch v := v.(type) { // what most columns hold; all could go the last way
		case string:
			b = append(b, v...)
		case time.Time:
			b = v.UTC().AppendFormat(b, "02T15:04:05.000")
		default:
			b = fmt.Append(b, v)
		}
	}
	return string(b), deleted
}

func isZero(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case time.Time:
		return v.UnixMilli() == 0
	case bool:
		return !v
	case int64:
		return v == 0
	case int8:
		return v == 0
	}
	r := reflect.ValueOf(v)
	return r.CanFloat() && math.IsNaN(r.Float()) || r.IsZero() || r.Kind() == reflect.Slice && r.Len() == 0
}

// diff says how two contents differ, at most `most` lines each way; empty if they are equal.
func diff(got, want []string, most int) string {
	var b strings.Builder
	show := func(sign string, lines, without []string) {
		n := 0
		for _, l := range lines {
			if _, there := slices.BinarySearch(without, l); !there {
				if n++; n <= most {
					fmt.Fprintf(&b, "  %s %s\n", sign, l)
				}
			}
		}
		if n > most {
			fmt.Fprintf(&b, "  %s ... and %d more\n", sign, n-most)
		}
	}
	show("-", want, got)
	show("+", got, want)
	if b.Len() == 0 && len(got) != len(want) {
		fmt.Fprintf(&b, "  %d rows instead of %d\n", len(got), len(want))
	}
	return b.String()
}

// passedKeys are the keys in table ticks of every task that writes something with a table.
var passedKeys = func() (keys []string) {
	for _, t := range schemas.Topics {
		if !sink.Sunk(t) {
			continue
		}
		for p := range t.Partitions(partitions) {
			for _, stage := range t.Writers {
				for task := range partitions {
					if !t.Own || task == p {
						keys = append(keys, strings.Join([]string{t.Name, fmt.Sprint(p), strings.ToLower(stage.String()), fmt.Sprint(task)}, "\x00"))
					}
				}
			}
		}
	}
	return keys
}()

// passed tells how far every task's marks are; wait is closed by the next insert.
func (s *store) passed() (mark uint64, wait <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := s.tables["ticks"].rows
	for i, k := range passedKeys {
		if m := rows[k].version[1]; i == 0 || m < mark {
			mark = m
		}
	}
	return mark, s.changed
}

// behind names the tasks whose marks are below one.
func (s *store) behind(mark uint64) (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range passedKeys {
		if s.tables["ticks"].rows[k].version[1] < mark {
			names = append(names, strings.ReplaceAll(k, "\x00", "/"))
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(names)))
}
