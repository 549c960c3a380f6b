package engine

import (
	"bytes"
	"fmt"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

func TestRecodeGolden(t *testing.T) {
	const (
		block    = "\x01\x02" + "\x01n\x05UInt8" + "\x07\x08" // a column, two rows: 7, 8
		frame    = "\x01\x00\x02\xff\xff\xff\xff\x00"
		old, new = 54453, 54454 // before and since columns tell of special encodings
	)
	for _, c := range []struct {
		native   string
		revision uint64
		want     string
	}{
		{"", new, ""},
		{block, 0, "\x01\x02" + "\x01n\x05UInt8" + "\x07\x08"},
		{block, old, frame + "\x01\x02" + "\x01n\x05UInt8" + "\x07\x08"},
		{block, new, frame + "\x01\x02" + "\x01n\x05UInt8\x00" + "\x07\x08"},
		{"\x01\x00\x01n\x05UInt8", new, frame + "\x01\x00" + "\x01n\x05UInt8\x00"},
		{block + block, old, frame + "\x01\x02" + "\x01n\x05UInt8" + "\x07\x08" + frame + "\x01\x02" + "\x01n\x05UInt8" + "\x07\x08"},
	} {
		got, err := recode([]byte(c.native), c.revision)
		if err != nil || string(got) != c.want {
			t.Errorf("recode(%q, %d) = %q, %v, want %q", c.native, c.revision, got, err, c.want)
		}
	}
}

// A block that clickhouse-go encodes at revision 0 is, after the translation, what it decodes at the newer one.
func TestRecodeRoundTrip(t *testing.T) {
	const revision = proto.DBMS_TCP_PROTOCOL_VERSION
	var native []byte
	const blocks, rows = 3, 70_000
	for range blocks {
		block := proto.NewBlock()
		for name, typeName := range map[string]column.Type{"s": "String", "lc": "LowCardinality(String)", "a": "Array(Nullable(Int64))"} {
			if err := block.AddColumn(name, typeName); err != nil {
				t.Fatal(err)
			}
		}
		for i := range rows {
			n := int64(i)
			values := map[string]any{"s": fmt.Sprint("row", i), "lc": fmt.Sprint(i % 300), "a": []*int64{&n, nil}[:i%3]}
			var row []any
			for _, name := range block.ColumnsNames() {
				row = append(row, values[name])
			}
			if err := block.Append(row...); err != nil {
				t.Fatal(err)
			}
		}
		var b chproto.Buffer
		if err := block.Encode(&b, 0); err != nil {
			t.Fatal(err)
		}
		native = append(native, b.Buf...)
	}
	got, err := recode(native, revision)
	if err != nil {
		t.Fatal(err)
	}
	r := chproto.NewReader(bytes.NewReader(got))
	for range blocks {
		block := proto.NewBlock()
		if err := block.Decode(r, revision); err != nil {
			t.Fatal(err)
		}
		for i, name := range block.ColumnsNames() {
			last := fmt.Sprint(block.Columns[i].Row(rows-1, false))
			want := map[string]string{"s": "row69999", "lc": fmt.Sprint((rows - 1) % 300), "a": "[]"}[name]
			if block.Rows() != rows || last != want {
				t.Errorf("%s: %d rows, the last %s; want %d, %s", name, block.Rows(), last, rows, want)
			}
		}
	}
	if _, err := r.ReadByte(); err == nil {
		t.Error("bytes are left")
	}
}

func TestRecodeTellsOfWhatItCannotRead(t *testing.T) {
	for _, native := range []string{"\x01", "\x01\x01\x01n\x06Nosuch\x00", "\x01\x02\x01n\x05UInt8\x07", "\x01\x01\x01n\x07Dynamic\x09\x00\x00\x00\x00\x00\x00\x00"} {
		if got, err := recode([]byte(native), 54460); err == nil {
			t.Errorf("recode(%q) = %q, want an error", native, got)
		}
	}
}
