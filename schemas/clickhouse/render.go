package clickhouse

import (
	"archive/zip"
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
)

//go:embed migrations/*.sql
var migrations embed.FS

//go:embed views/*.sql
var views embed.FS

// pieces are what several tables have in common: columns with a comma behind each, so that the table's own follow.
const pieces = `
{{define "event head"}}    source LowCardinality(String),
    id String CODEC(ZSTD(1)),
    verb {{verb}},
    unit_kind {{unit_kind}},
    subject String CODEC(ZSTD(1)),
    time {{time}} CODEC(Delta, ZSTD(1)),
    offset_min Int16 CODEC(ZSTD(1)),
    recorded_at {{time}} CODEC(Delta, ZSTD(1)),
    ingested_at {{time}} CODEC(Delta, ZSTD(1)),
    accepted_at {{time}} CODEC(Delta, ZSTD(1)),
    late Bool,
    classifier Enum8('actual' = 0, 'estimated' = 1, 'planned' = 2),
    place LowCardinality(String),
    hash UInt64,
    implied_by String,
    known_at {{time}} CODEC(Delta, ZSTD(1)),
    version UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(recorded_at)), 65),
        bitOr(bitShiftLeft(toUInt128(hash), 1), toUInt128(NOT late))),
    deleted UInt8,{{end}}
{{define "version"}}    known_at {{time}},
    version UInt64,
    deleted UInt8{{end}}
{{define "moment"}}    {{.}} {{time}},
    {{.}}_basis {{basis}},
    {{.}}_earliest {{time}},
    {{.}}_latest {{time}},{{end}}
{{define "alert columns"}}    fingerprint String COMMENT 'of what and where, never of values or times: the same cause has the same one each time',
    kind LowCardinality(String) COMMENT 'feed_silent: nothing is heard of an area; closure: nothing moves where a closure is declared; nothing_moving: trains wait and none goes on; growing_queue: more come than go on; level_shift: stays have become longer; below_plan: fewer cross than agreed; overdue: a train waits too long; anomalous: it did, which was learned afterwards; train_silent: nothing is heard of it',
    severity LowCardinality(String) COMMENT 'info: to look at some time; ticket: to act on within the shift; page: to act on now. It never becomes milder while it fires',
    firing Bool COMMENT 'it goes on',
    since Nullable({{time}}) COMMENT 'when what it tells of began, UTC',
    updated Nullable({{time}}) COMMENT 'stage time at which it was last told, UTC: summary and value are of then, or of the last time before it ended. When it began to fire: revision 1 in v_alert_history',
    resolved Nullable({{time}}) COMMENT 'stage time at which it ended, UTC; NULL: it fires',
    revision UInt32 COMMENT '1 when it began to fire, counted up each time it was told',
    area LowCardinality(String) COMMENT 'area: places that one cause can delay together',
    border LowCardinality(String) COMMENT 'catalogue id of the border; empty: none',
    border_name String COMMENT 'name of the border',
    role LowCardinality(String) COMMENT 'outbound or inbound: the side; empty: both',
    direction LowCardinality(String) COMMENT 'from_country-to_country; empty: both, or a place',
    place LowCardinality(String) COMMENT 'catalogue id of the place, where it is about none of a border',
    place_name String COMMENT 'name of the place',
    corridors Array(String) COMMENT 'corridors that lead there',
    unit String COMMENT 'the train, if it is about one',
    unit_kind LowCardinality(String) COMMENT 'what waits: train, vessel, wagon or container; none: a feed',
    summary String COMMENT 'what is the matter, in a line',
    value Float64 COMMENT 'how bad it is: hours waited, trains waiting, trains a day; as the summary says',
    baseline Float64 COMMENT 'what that is held against, in the same; of feed_silent how many arrivals and departures were to be heard of, of nothing_moving how many trains should have gone on',
    baseline_basis LowCardinality(String) COMMENT 'usual: the 28 days before; norm: the catalogue; plan: the agreed exchange; none',
    evidence String COMMENT 'what it rests on, for people',
    restriction String COMMENT 'what was declared for the border and is in force; empty: nothing',
    cause String COMMENT 'fingerprint of the alert it became a part of, if that ended it',
    known_at {{time}} COMMENT 'stage time at which this version of the row was written, UTC'{{end}}
{{define "alert"}}    t.fingerprint AS fingerprint, t.kind AS kind, t.severity AS severity, t.firing AS firing, {{known "t.since"}} AS since, {{known "t.updated"}} AS updated,
    {{known "t.resolved"}} AS resolved, t.revision AS revision, t.area AS area, t.border AS border, {{border "t.border"}} AS border_name, t.role AS role,
    t.direction AS direction, t.place AS place, {{place "t.place"}} AS place_name, t.corridors AS corridors, t.unit AS unit, t.unit_kind AS unit_kind,
    t.summary AS summary, t.value AS value, t.baseline AS baseline, t.baseline_basis AS baseline_basis, t.evidence AS evidence,
    t.restriction AS restriction, t.cause AS cause, t.known_at AS known_at{{end}}
` + speedPieces + linePieces

// Types that many columns share. The numbers of the enumerations are those of the protobuf messages.
const (
	timeType = "DateTime64(3, 'UTC')"
	unitKind = "Enum8('none' = 0, 'train' = 1, 'vessel' = 2, 'wagon' = 3, 'container' = 4)"
	state    = "Enum8('none' = 0, 'open' = 1, 'silent' = 2, 'lost' = 3, 'closed' = 4)"
	basis    = "Enum8('none' = 0, 'position' = 1, 'report' = 2, 'interpolated' = 3, 'inferred' = 4)"
	verb     = "Enum8('none' = 0, 'position' = 1, 'arrived' = 2, 'departed' = 3, 'passed' = 4, 'planned' = 5, 'composition' = 6, " +
		"'ended' = 7, 'held' = 8, 'resumed' = 9, 'handover' = 10, 'loaded' = 11, 'unloaded' = 12, 'activity' = 13, 'declared' = 14, " +
		"'milestone' = 15, 'restriction' = 16, 'plan' = 17, 'retracted' = 18, 'tick' = 19, 'cost' = 20)"
)

// render fills in the placeholders of every file of dir. What comes out is an archive in memory, the standard library's fs.FS
// that can be written.
func (c Config) render(files fs.FS, dir string) (fs.FS, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		text, err := fs.ReadFile(files, dir+"/"+e.Name())
		if err != nil {
			return nil, err
		}
		t, err := template.New(e.Name()).Option("missingkey=error").Funcs(c.functions()).Parse(pieces + string(text))
		if err != nil {
			return nil, fmt.Errorf("read the template: %w", err)
		}
		f, err := w.Create(e.Name())
		if err != nil {
			return nil, err
		}
		if err := t.Execute(f, c); err != nil {
			return nil, fmt.Errorf("fill in the template: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
}

// functions are the words the SQL files may use in double braces.
func (c Config) functions() template.FuncMap {
	return template.FuncMap{
		"engine":    c.engine,
		"from":      c.from,
		"plain":     func() string { return "MergeTree" },
		"source":    c.dictionarySource,
		"time":      func() string { return timeType },
		"unit_kind": func() string { return unitKind },
		"state":     func() string { return state },
		"basis":     func() string { return basis },
		"verb":      func() string { return verb },
		"sides":     func() []string { return []string{"outbound", "inbound"} },
		"tables":    func(names ...string) []string { return names },
		"known":     known,
		"columns":   momentColumns,
		"transfer":  transferColumns,
		"parts":     transferParts,
		"moments":   moments,
		"place":     func(column string) string { return c.name("places", column) },
		"border":    func(column string) string { return c.name("borders", column) },
		"corridor":  func(column string) string { return c.name("corridors", column) },
		"seconds":   seconds,
		"minimum":   func() int { return minimum },
		"enough":    enough,
		"quantile":  quantile,
		"in_hours":  inHours,
		"periods":   periods,
		"period":    func() string { return periodColumn },
		"hours":     hoursColumns,
		"kinds":     func() string { return kindsComment },

		"journey_corridor": func() string { return journeyCorridor },
		"run_ends":         c.runEnds,
		"identities":       c.identities,
		"side_columns":     sideColumns,
		"rides":            c.rides,
		"gone_on":          c.goneOn,
		"other_identity":   func() string { return otherIdentity },
		"observed":         observed,
		"began_observed":   beganObserved,
		"end_observed":     endObserved,
		"begins_here":      beginsHere,
		"ends_here":        endsHere,
		"side_entered":     sideEntered,
		"side_left":        sideLeft,
		"covered":          covered,
		"clear_corridor":   c.clearCorridor,
	}
}

// engine is the engine of a keyed table. A replica finds the others of its shard by the path in Keeper.
func (c Config) engine(version string) string {
	if c.replica == "" {
		return "ReplacingMergeTree(" + version + ")"
	}
	return fmt.Sprintf("ReplicatedReplacingMergeTree('/clickhouse/corridorwatch/{database}/shard%d/{table}', '%s', %s)", c.shard.number, escape(c.replica), version)
}

// from is the table that views read for all rows of a table.
func (c Config) from(table string) string {
	if c.Cluster != "" {
		table += allShards
	}
	return c.Database + "." + table
}

// dictionarySource reads a dictionary from a table of the same server. The server asks for a login even of itself.
func (c Config) dictionarySource(table string) string {
	auth := ""
	if c.Password != "" {
		auth = fmt.Sprintf(" USER '%s' PASSWORD '%s'", escape(c.User), escape(c.Password))
	}
	return fmt.Sprintf("CLICKHOUSE(TABLE '%s' DB '%s'%s)", table, c.Database, auth)
}

func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) }

// name looks a name up in a dictionary; what the catalogue lacks keeps its identifier.
func (c Config) name(dictionary, column string) string {
	return fmt.Sprintf("dictGetOrDefault('%s.%s', 'name', tuple(toString(%s)), toString(%s))", c.Database, dictionary, column, column)
}

// known makes NULL of a time that means "not known": analysts' views have NULL, tables have 0.
func known(column string) string {
	return fmt.Sprintf("nullIf(%s, toDateTime64(0, 3, 'UTC'))", column)
}

// seconds between two times, NULL if one is not known.
func seconds(from, to string) string {
	return fmt.Sprintf("intDiv(dateDiff('millisecond', %s, %s), 1000)", from, to)
}

// momentColumns declares the four columns of a moment in a view.
func momentColumns(name, meaning string) string {
	const nullable = "Nullable(" + timeType + ")"
	return fmt.Sprintf(`    %[1]s %[2]s COMMENT '%[3]s, UTC; NULL: not known',
    %[1]s_basis LowCardinality(String) COMMENT 'what %[1]s rests on: position, report, interpolated, inferred, none',
    %[1]s_earliest %[2]s COMMENT 'if %[1]s is not exact: not before this, UTC',
    %[1]s_latest %[2]s COMMENT 'if %[1]s is not exact: not after this, UTC',`, name, nullable, meaning)
}

// moments selects the columns of moments from table t, where they may bear a prefix.
func moments(prefix string, names ...string) string {
	var b strings.Builder
	for _, n := range names {
		for _, suffix := range []string{"", "_earliest", "_latest"} {
			fmt.Fprintf(&b, "    %s AS %s,\n", known("t."+prefix+n+suffix), n+suffix)
		}
		fmt.Fprintf(&b, "    t.%s%s_basis AS %s_basis,\n", prefix, n, n)
	}
	return b.String()
}

// minimum is how many samples a median, a percentile or a share needs; views show NULL for fewer. A percentile of four is the worst
// of four, and CPMM's Farap figure of 2020 was moved by one sample of 120 h out of two. This is the only place to change it.
const minimum = 5

const kindsComment = "train, vessel, wagon or container: a row is about one kind, never add them up"

// enough is NULL where n is below the minimum.
func enough(n, value string) string { return fmt.Sprintf("if(%s < %d, NULL, %s)", n, minimum, value) }

// quantile of the values where the condition holds, interpolated between neighbours: the value at position (n-1)*level of the sorted
// ones, as spreadsheets' PERCENTILE.INC has it.
func quantile(level, value, condition string) string {
	return fmt.Sprintf("quantileExactInclusiveIf(%s)(assumeNotNull(%s), %s)", level, value, condition)
}

// inHours turns seconds into hours, to the fourth digit (a third of a second), so that no noise of division shows.
func inHours(seconds string) string { return fmt.Sprintf("round((%s) / 3600, 4)", seconds) }

// periods makes a row count three times: in all, in its year and in its month.
func periods(at string) string {
	return fmt.Sprintf("arrayJoin(['all', formatDateTime(assumeNotNull(%[1]s), '%%Y'), formatDateTime(assumeNotNull(%[1]s), '%%Y-%%m')])", at)
}

const periodColumn = "period LowCardinality(String) COMMENT 'all, a year (2026) or a month (2026-03), UTC: filter on one, since every sample is in three of them; by "

// hoursColumns declares mean, median and 95th percentile of a thing in hours.
func hoursColumns(prefix, meaning string) string {
	return fmt.Sprintf(`    %[1]smean_h Nullable(Float64) COMMENT 'mean of %[2]s, hours; NULL: none',
    %[1]smedian_h Nullable(Float64) COMMENT 'median of %[2]s, hours; NULL: n below %[3]d',
    %[1]sp95_h Nullable(Float64) COMMENT '95th percentile of %[2]s, hours, interpolated between neighbours; NULL: n below %[3]d',`, prefix, meaning, minimum)
}

// transferColumns declares the columns of a change of vehicles, which transferParts fills.
func transferColumns() string {
	return `    first_vehicle String COMMENT 'run or voyage that brought it',
    second_vehicle String COMMENT 'run or voyage that took it on; empty: none yet, or it goes on with the first',
    places Array(String) COMMENT 'places it was at meanwhile, in order, each once',
    arrived Nullable(` + timeType + `) COMMENT 'arrived on the first vehicle, UTC',
    off_at Nullable(` + timeType + `) COMMENT 'taken off the first vehicle, or named by the list of the next; NULL: still on it',
    on_at Nullable(` + timeType + `) COMMENT 'put on the second vehicle, or named by its list; NULL: not yet',
    departed Nullable(` + timeType + `) COMMENT 'departed on the second vehicle; NULL: still here',
    on_first_s Int64 COMMENT 'on the first vehicle, seconds; while it goes on up to v_now, as all seconds here',
    between_s Int64 COMMENT 'between the two vehicles, seconds; 0 where both lists bear one time, negative by clocks that oppose',
    on_second_s Int64 COMMENT 'on the second vehicle, seconds',
    sum_s Int64 COMMENT 'on_first_s + between_s + on_second_s = arrived to departed, seconds',
    causes Array(Tuple(cause String, seconds Int64)) COMMENT 'what went on, by code of the activity: customs, technical_inspection, waiting_wagons, transhipment ...; what is done to a vehicle counts while the unit is on it',
    overlap_s Int64 COMMENT 'by how much causes overlap, seconds: sum of causes - overlap_s + unexplained_s = sum_s',
    unexplained_s Int64 COMMENT 'covered by no cause, seconds',
    main_cause String COMMENT 'the cause with the most seconds; empty: none',
    state LowCardinality(String) COMMENT 'open: it is still here; closed',`
}

// transferParts are those columns, of a table called t, up to stage_time where the change goes on: what has gone by since the last known
// time belongs to the part that is not over, to the causes that go on, and where there is none to the unexplained.
func transferParts() string {
	since := "if(toUnixTimestamp64Milli(t.transfer_as_of) = 0, 0, greatest(0, ifNull(" + seconds("t.transfer_as_of", "stage_time") + ", 0)))"
	return `    t.transfer_first AS first_vehicle, t.transfer_second AS second_vehicle, arrayMap(p -> toString(p), t.transfer_places) AS places,
    ` + known("t.transfer_arrived") + ` AS arrived, ` + known("t.transfer_off_at") + ` AS off_at, ` + known("t.transfer_on_at") + ` AS on_at,
    ` + known("t.transfer_departed") + ` AS departed,
    t.transfer_on_first_s + if(isNull(off_at), ` + since + `, 0) AS on_first_s,
    t.transfer_between_s + if(isNotNull(off_at) AND isNull(on_at), ` + since + `, 0) AS between_s,
    t.transfer_on_second_s + if(isNotNull(on_at), ` + since + `, 0) AS on_second_s,
    on_first_s + between_s + on_second_s AS sum_s,
    arrayMap((c, s) -> (toString(c), s + if(has(t.transfer_going_on, c), ` + since + `, 0)), t.transfer_cause, t.transfer_cause_s) AS causes,
    t.transfer_overlap_s + greatest(length(t.transfer_going_on) - 1, 0) * ` + since + ` AS overlap_s,
    t.transfer_unexplained_s + if(empty(t.transfer_going_on), ` + since + `, 0) AS unexplained_s,
    arraySort(c -> -c.2, causes)[1].1 AS main_cause,
    if(toUnixTimestamp64Milli(t.transfer_as_of) = 0, 'closed', 'open') AS state,`
}
