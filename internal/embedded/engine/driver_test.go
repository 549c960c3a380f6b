package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/embedded/enginetest"
)

// TestMain makes this test binary the engine, or a program that starts one and tells its address, where the tests ask for that.
func TestMain(m *testing.M) {
	if dir := os.Getenv("ENGINE_TEST_PARENT"); dir != "" && os.Getenv("CORRIDORWATCH_TEST_ENGINE") == "" {
		lib, err := engine.Locate(os.Getenv("CORRIDORWATCH_CHDB_LIB"))
		if err != nil {
			panic(err)
		}
		e, err := engine.Start(context.Background(), enginetest.Config(lib, dir))
		if err != nil {
			panic(err)
		}
		fmt.Println(e.Addr())
		<-e.Done()
	}
	enginetest.Main(m)
}

// dial connects clickhouse-go to the engine of this test binary, in a database of the test's own.
func dial(t testing.TB, compression clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	addr := enginetest.Start(t)
	database := "test_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, t.Name())
	admin := open(t, addr, "default", clickhouse.CompressionNone)
	defer admin.Close()
	if err := admin.Exec(t.Context(), "CREATE DATABASE "+database); err != nil {
		t.Fatal(err)
	}
	conn := open(t, addr, database, compression)
	t.Cleanup(func() {
		if err := conn.Exec(context.Background(), "DROP DATABASE "+database); err != nil {
			t.Error(err)
		}
		conn.Close()
	})
	return conn
}

func open(t testing.TB, addr, database string, compression clickhouse.CompressionMethod) driver.Conn {
	t.Helper()
	settings := clickhouse.Settings{}
	if compression == clickhouse.CompressionGZIP || compression == clickhouse.CompressionBrotli || compression == clickhouse.CompressionDeflate {
		settings["enable_http_compression"] = 1
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr: []string{addr}, Protocol: clickhouse.HTTP, Auth: clickhouse.Auth{Database: database},
		Compression: &clickhouse.Compression{Method: compression}, Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

const allTypes = `CREATE TABLE t (
	id Int32, s String, lc LowCardinality(String), at DateTime64(3, 'UTC'), dt DateTime('UTC'), d Date,
	i8 Int8, i64 Int64, u8 UInt8, u16 UInt16, u32 UInt32, u64 UInt64, u128 UInt128, f64 Float64, f32 Float32, b Bool,
	a Array(String), alc Array(LowCardinality(String)), n Nullable(Int64), lcn LowCardinality(Nullable(String)), m Map(String, UInt64),
	tu Tuple(place String, minutes Int32), e Enum8('train' = 1, 'unit' = 2), fs FixedString(4), dec Decimal(18, 4), u UUID, an Array(Nullable(Float64))
) ENGINE = ReplacingMergeTree ORDER BY id`

type row struct {
	ID   int32             `ch:"id"`
	S    string            `ch:"s"`
	LC   string            `ch:"lc"`
	At   time.Time         `ch:"at"`
	DT   time.Time         `ch:"dt"`
	D    time.Time         `ch:"d"`
	I8   int8              `ch:"i8"`
	I64  int64             `ch:"i64"`
	U8   uint8             `ch:"u8"`
	U16  uint16            `ch:"u16"`
	U32  uint32            `ch:"u32"`
	U64  uint64            `ch:"u64"`
	U128 *big.Int          `ch:"u128"`
	F64  float64           `ch:"f64"`
	F32  float32           `ch:"f32"`
	B    bool              `ch:"b"`
	A    []string          `ch:"a"`
	ALC  []string          `ch:"alc"`
	N    *int64            `ch:"n"`
	LCN  *string           `ch:"lcn"`
	M    map[string]uint64 `ch:"m"`
	TU   map[string]any    `ch:"tu"`
	E    string            `ch:"e"`
	FS   string            `ch:"fs"`
	U    string            `ch:"u"`
	AN   []*float64        `ch:"an"`
}

func sample(i int) row {
	r := row{
		ID: int32(i), S: fmt.Sprintf("Хоргос \x00 '%d'", i), LC: fmt.Sprintf("border%d", i%7),
		At: time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC).Add(time.Duration(i) * time.Millisecond),
		DT: time.Date(2026, 3, 1, 12, 0, i%60, 0, time.UTC), D: time.Date(2026, 3, 1+i%28, 0, 0, 0, 0, time.UTC),
		I8: int8(-i % 100), I64: -1 << 60, U8: uint8(i), U16: uint16(i), U32: 1 << 31, U64: 1 << 63,
		U128: new(big.Int).Lsh(big.NewInt(int64(i)+1), 100), F64: float64(i) / 3, F32: float32(i) / 3, B: i%2 == 0,
		A: []string{}, ALC: []string{"x", fmt.Sprint(i % 3)}, M: map[string]uint64{"a": uint64(i)},
		TU: map[string]any{"place": "Małaszewicze", "minutes": int32(i)},
		E:  []string{"train", "unit"}[i%2], FS: "ABCD", U: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), AN: []*float64{nil},
	}
	if i%3 == 0 {
		n, s, f := int64(i), "named", 0.5
		r.N, r.LCN, r.A, r.AN = &n, &s, []string{"", "b"}, []*float64{&f, nil}
	}
	return r
}

// What clickhouse-go wrote it reads back, for every type the project uses and with every compression it offers.
func TestRoundTrip(t *testing.T) {
	for _, compression := range []clickhouse.CompressionMethod{
		clickhouse.CompressionNone, clickhouse.CompressionLZ4, clickhouse.CompressionZSTD, clickhouse.CompressionGZIP, clickhouse.CompressionDeflate, clickhouse.CompressionBrotli,
	} {
		t.Run(compression.String(), func(t *testing.T) {
			conn := dial(t, compression)
			if err := conn.Exec(t.Context(), strings.Replace(allTypes, "dec Decimal(18, 4), ", "", 1)); err != nil {
				t.Fatal(err)
			}
			const rows = 1000
			batch, err := conn.PrepareBatch(t.Context(), "INSERT INTO t")
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				r := sample(i)
				if err := batch.AppendStruct(&r); err != nil {
					t.Fatal(err)
				}
			}
			if err := batch.Send(); err != nil {
				t.Fatal(err)
			}
			var got []row
			if err := conn.Select(t.Context(), &got, "SELECT * FROM t FINAL ORDER BY id SETTINGS max_block_size = 300"); err != nil {
				t.Fatal(err)
			}
			if len(got) != rows {
				t.Fatalf("%d rows, want %d", len(got), rows)
			}
			for i := range got {
				if got, want := asJSON(t, got[i]), asJSON(t, sample(i)); got != want {
					t.Fatalf("row %d: got\n%s, want\n%s", i, got, want)
				}
			}
		})
	}
}

// Every type the driver knows comes through the translation of blocks.
func TestTypes(t *testing.T) {
	conn := dial(t, clickhouse.CompressionLZ4)
	for _, expression := range []string{
		"toDecimal128(1.5, 10)", "toDecimal256(1.5, 10)", "toIPv4('1.2.3.4')", "toIPv6('::1')", "toInt256(-1)", "toUInt256(1)", "toInt128(-5)",
		"toDate32('1950-01-01')", "toDateTime64('2026-01-01 00:00:00', 9, 'Asia/Almaty')", "INTERVAL 1 DAY", "(1, 'a', [1.5])::Tuple(UInt8, String, Array(Float32))",
		"[(1, 'a')]::Array(Tuple(a UInt8, b String))", "[[1], []]::Array(Array(UInt8))", "map('a', [1, 2])", "NULL", "[]", "(1.0, 2.0)::Point", "'x'::Variant(String, UInt8)",
		"'{\"a\": {\"b\": 1}}'::JSON", "1::Dynamic", "toLowCardinality(materialize('x'))", "[toLowCardinality('x'), 'y']", "map('k', toLowCardinality('v'))",
		"toNullable(toUUID('00000000-0000-0000-0000-000000000001'))", "true", "toBFloat16(1.5)",
	} {
		rows, err := conn.Query(t.Context(), "SELECT number, "+expression+" AS x, toString(number) FROM numbers(3)")
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		count := 0
		for rows.Next() {
			var number uint64
			var text string
			x := reflect.New(rows.ColumnTypes()[1].ScanType())
			if err := rows.Scan(&number, x.Interface(), &text); err != nil || text != fmt.Sprint(count) || number != uint64(count) {
				t.Errorf("%s, row %d: %d, %q, %v", expression, count, number, text, err)
			}
			count++
		}
		if rows.Err() != nil || count != 3 {
			t.Errorf("%s: %d rows, %v", expression, count, rows.Err())
		}
	}
}

// Tools that use database/sql, as migrations do, find what they need too.
func TestDatabaseSQL(t *testing.T) {
	db := clickhouse.OpenDB(&clickhouse.Options{Addr: []string{enginetest.Start(t)}, Protocol: clickhouse.HTTP})
	defer db.Close()
	ctx := t.Context()
	for _, statement := range []string{"CREATE DATABASE by_sql", "CREATE TABLE by_sql.t (a Int32, b String) ENGINE = MergeTree ORDER BY a"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	defer db.ExecContext(context.Background(), "DROP DATABASE by_sql")
	if _, err := db.ExecContext(ctx, "INSERT INTO by_sql.t VALUES (?, ?)", 7, "it's"); err != nil {
		t.Fatal(err)
	}
	var a int32
	var b string
	if err := db.QueryRowContext(ctx, "SELECT a, b FROM by_sql.t WHERE a = ?", 7).Scan(&a, &b); err != nil || a != 7 || b != "it's" {
		t.Errorf("got %d, %q, %v", a, b, err)
	}
}

// asJSON makes rows comparable: it looks behind pointers and at the instant of a time.
func asJSON(t *testing.T, r row) string {
	t.Helper()
	r.At, r.DT, r.D = r.At.UTC(), r.DT.UTC(), r.D.UTC()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Values of parameters are in ClickHouse's escaped notation, as at a server.
func TestParameters(t *testing.T) {
	conn := dial(t, clickhouse.CompressionNone)
	escape := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\t", `\t`)
	for _, text := range []string{"plain", "it's", `back\slash`, "line\nend\ttab", "'; DROP TABLE t --", "Хоргос", ""} {
		ctx := clickhouse.Context(t.Context(), clickhouse.WithParameters(clickhouse.Parameters{"text": escape.Replace(text), "n": "41"}))
		var got string
		var n int64
		if err := conn.QueryRow(ctx, "SELECT {text:String}, {n:Int32} + 1").Scan(&got, &n); err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got != text || n != 42 {
			t.Errorf("got %q, %d, want %q, 42", got, n, text)
		}
	}
}

func TestErrorsOfTheDriver(t *testing.T) {
	conn := dial(t, clickhouse.CompressionLZ4)
	for _, c := range []struct {
		query string
		code  int32
	}{
		{"SELECT * FROM missing", 60},
		{"SELEC 1", 62},
		{"SELECT nosuch(1)", 46},
		{"CREATE TABLE t (a Int32) ENGINE = Nosuch", 56},
		{"SELECT throwIf(number = 3000000) FROM numbers(4000000)", 395}, // after part of the result was sent
	} {
		rows, err := conn.Query(t.Context(), c.query)
		if err == nil {
			for rows.Next() {
			}
			err = rows.Err()
		}
		if e, ok := errors.AsType[*clickhouse.Exception](err); !ok || e.Code != c.code {
			t.Errorf("%s: %v, want code %d", c.query, err, c.code)
		}
	}
	if err := conn.Exec(clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"no_such_setting": 1})), "SELECT 1"); !strings.Contains(fmt.Sprint(err), "no_such_setting") {
		t.Errorf("unknown setting: %v", err)
	}
}

// A failed batch leaves nothing behind, and the connection stays usable.
func TestFailedBatch(t *testing.T) {
	conn := dial(t, clickhouse.CompressionNone)
	ctx := t.Context()
	if err := conn.Exec(ctx, "CREATE TABLE t (a Int32, CONSTRAINT small CHECK a < 10) ENGINE = MergeTree ORDER BY a"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rows []int32
		ok   bool
	}{{[]int32{1, 2}, true}, {[]int32{3, 11}, false}, {[]int32{4}, true}} {
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t (a)")
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Column(0).Append(c.rows); err != nil {
			t.Fatal(err)
		}
		if err := batch.Send(); (err == nil) != c.ok {
			t.Errorf("insert %v: %v", c.rows, err)
		}
	}
	var got []int32
	if err := conn.QueryRow(ctx, "SELECT groupArray(a) FROM (SELECT a FROM t ORDER BY a)").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if want := []int32{1, 2, 4}; !reflect.DeepEqual(got, want) {
		t.Errorf("table holds %v, want %v", got, want)
	}
}

// Settings and database of one request are not seen by another, though both may come at once.
func TestRequestsDoNotShareSettings(t *testing.T) {
	conn := dial(t, clickhouse.CompressionNone)
	results := make(chan error, 16)
	for i := range cap(results) {
		go func() {
			ctx := clickhouse.Context(t.Context(), clickhouse.WithSettings(clickhouse.Settings{"max_result_rows": 1000 + i}))
			var got uint64
			err := conn.QueryRow(ctx, "SELECT toUInt64(getSetting('max_result_rows') + sleep(0.05))").Scan(&got)
			if err == nil && got != uint64(1000+i) {
				err = fmt.Errorf("max_result_rows is %d, want %d", got, 1000+i)
			}
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	var got uint64
	if err := conn.QueryRow(t.Context(), "SELECT toUInt64(getSetting('max_result_rows'))").Scan(&got); err != nil || got != 0 {
		t.Errorf("without a setting: %d, %v; want 0", got, err)
	}
}

// A million rows inserted by columns, and read back.
func BenchmarkMillionRows(b *testing.B) {
	conn := dial(b, clickhouse.CompressionLZ4)
	ctx := b.Context()
	if err := conn.Exec(ctx, "CREATE TABLE t (id UInt64, at DateTime64(3, 'UTC'), place LowCardinality(String), run String, minutes Float64) ENGINE = MergeTree ORDER BY (place, id)"); err != nil {
		b.Fatal(err)
	}
	const n = 1_000_000
	ids, at, place, run, minutes := make([]uint64, n), make([]time.Time, n), make([]string, n), make([]string, n), make([]float64, n)
	for i := range n {
		ids[i], at[i], place[i], run[i], minutes[i] = uint64(i), time.UnixMilli(1_700_000_000_000+int64(i)), fmt.Sprint("place", i%50), fmt.Sprint("run", i/100), float64(i)
	}
	var inserting, reading time.Duration
	for b.Loop() {
		began := time.Now()
		batch, err := conn.PrepareBatch(ctx, "INSERT INTO t")
		if err != nil {
			b.Fatal(err)
		}
		for i, column := range []any{ids, at, place, run, minutes} {
			if err := batch.Column(i).Append(column); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			b.Fatal(err)
		}
		inserting += time.Since(began)
		began = time.Now()
		rows, err := conn.Query(ctx, "SELECT id, at, place, run, minutes FROM t LIMIT 1000000")
		if err != nil {
			b.Fatal(err)
		}
		count := 0
		for rows.Next() {
			count++
		}
		if rows.Err() != nil || count != n {
			b.Fatalf("%d rows, %v", count, rows.Err())
		}
		reading += time.Since(began)
	}
	b.ReportMetric(float64(b.N)*n/inserting.Seconds(), "inserted/s")
	b.ReportMetric(float64(b.N)*n/reading.Seconds(), "read/s")
}
