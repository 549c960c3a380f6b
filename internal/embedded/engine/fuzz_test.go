package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// FuzzRecode translates blocks of any columns to any revision: clickhouse-go then reads the same values as before, and of blocks that
// break off something is said.
func FuzzRecode(f *testing.F) {
	f.Add([]byte("\x00\x02some values for three columns"), uint64(54454), uint16(3))
	f.Add([]byte("\x07\x01\x05\x03\x02\x08\x06\x04"), uint64(54453), uint16(40))
	f.Add([]byte("\x09\x0a\x0b\x0c"), uint64(0), uint16(0xffff))
	f.Fuzz(func(t *testing.T, seed []byte, revision uint64, cut uint16) {
		if revision > proto.DBMS_TCP_PROTOCOL_VERSION {
			revision = proto.DBMS_TCP_PROTOCOL_VERSION
		}
		var native []byte
		ends, values := map[int]bool{0: true}, ""
		for len(seed) > 1 {
			var block *proto.Block
			block, seed = madeUp(t, seed)
			var b chproto.Buffer
			if err := block.Encode(&b, 0); err != nil {
				t.Fatal(err)
			}
			native = append(native, b.Buf...)
			ends[len(native)] = true
			values += shown(block)
		}
		got, err := recode(native, revision)
		if err != nil {
			t.Fatalf("%v of\n%s", err, values)
		}
		if revision == 0 && !bytes.Equal(got, native) {
			t.Fatalf("%q became %q at the same revision", native, got)
		}
		if again := decodedBlocks(t, got, revision, len(ends)-1); again != values {
			t.Fatalf("%s became\n%s", values, again)
		}
		part := native[:int(cut)%(len(native)+1)]
		if _, err := recode(part, revision); (err == nil) != ends[len(part)] {
			t.Fatalf("cut off after %d of %d bytes: %v", len(part), len(native), err)
		}
	})
}

var columnTypes = []column.Type{"UInt8", "Int64", "Float64", "String", "DateTime64(3)", "LowCardinality(String)", "Nullable(Int32)",
	"Array(String)", "Array(Array(UInt16))", "Map(String, UInt64)", "FixedString(3)", "Tuple(a UInt8, b String)", "LowCardinality(Nullable(String))",
	"Enum8('a' = 1, 'b' = 2)", "Bool", "Decimal(9, 2)"}

// madeUp makes a block out of bytes: the first chooses the columns, the second how many rows, the rest the values. (With none,
// clickhouse-go writes prefixes that the engine does not.)
func madeUp(t *testing.T, seed []byte) (*proto.Block, []byte) {
	block := proto.NewBlock()
	first, rows := int(seed[0]), 1+int(seed[1]%4)
	seed = seed[2:]
	for i := range 1 + first%3 {
		if err := block.AddColumn(fmt.Sprint("c", i), columnTypes[(first+i*5)%len(columnTypes)]); err != nil {
			t.Fatal(err)
		}
	}
	for range rows {
		var row []any
		for _, c := range block.Columns {
			var some [8]byte
			seed = seed[copy(some[:], seed):]
			row = append(row, value(c.Type(), some))
		}
		if err := block.Append(row...); err != nil {
			t.Fatal(err)
		}
	}
	return block, seed
}

func value(typ column.Type, b [8]byte) any {
	n := binary.LittleEndian.Uint64(b[:])
	text := string(b[:n%8])
	switch typ {
	case "UInt8":
		return uint8(n)
	case "Float64":
		return float64(int64(n))
	case "String", "LowCardinality(String)":
		return text
	case "LowCardinality(Nullable(String))":
		if n%3 == 0 {
			return (*string)(nil)
		}
		return &text
	case "Nullable(Int32)":
		if v := int32(n); n%3 > 0 {
			return &v
		}
		return (*int32)(nil)
	case "Array(String)":
		return strings.Split(text, "\x00")
	case "Array(Array(UInt16))":
		return [][]uint16{{uint16(n), uint16(n >> 16)}, {}}[:n%3]
	case "Map(String, UInt64)":
		return map[string]uint64{text: n}
	case "FixedString(3)":
		return string(b[:3])
	case "Tuple(a UInt8, b String)":
		return []any{uint8(n), text}
	case "Enum8('a' = 1, 'b' = 2)":
		return []string{"a", "b"}[n%2]
	case "Bool":
		return n%2 == 0
	case "Decimal(9, 2)":
		return fmt.Sprint(int8(n))
	}
	return int64(n % (1 << 40))
}

func shown(block *proto.Block) string {
	var b strings.Builder
	for i, c := range block.Columns {
		fmt.Fprintf(&b, "%s %s:", block.ColumnsNames()[i], c.Type())
		for row := range block.Rows() {
			switch v := c.Row(row, false).(type) {
			case *string:
				fmt.Fprintf(&b, " %q", deref(v))
			case *int32:
				fmt.Fprintf(&b, " %v", deref(v))
			case fmt.Stringer:
				fmt.Fprintf(&b, " %s", v)
			default:
				fmt.Fprintf(&b, " %#v", v)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func deref[V any](p *V) any {
	if p == nil {
		return nil
	}
	return *p
}

func decodedBlocks(t *testing.T, native []byte, revision uint64, n int) string {
	r, text := chproto.NewReader(bytes.NewReader(native)), ""
	for range n {
		block := proto.NewBlock()
		if err := block.Decode(r, revision); err != nil {
			t.Fatal(err)
		}
		text += shown(block)
	}
	if _, err := r.ReadByte(); err == nil {
		t.Fatal("bytes are left")
	}
	return text
}

// FuzzDecoded takes bodies in every encoding: what was encoded comes back, and of what was not something is said, in bounded time.
func FuzzDecoded(f *testing.F) {
	for i := range 6 {
		f.Add([]byte("some text, some text"), uint8(i), false)
		f.Add([]byte("some text, some text"), uint8(i), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, by uint8, blocks bool) {
		encoding := []string{"", "gzip", "deflate", "br", "zstd", "lz4"}[by%6]
		if got := accepted(http.Header{"Accept-Encoding": {"x, " + encoding + ";q=1"}}); got != encoding {
			t.Fatalf("takes %q, want %q", got, encoding)
		}
		var b bytes.Buffer
		outer, err := deflated(&b, encoding)
		if err != nil {
			t.Fatal(err)
		}
		w := outer
		if blocks {
			w = newBlockWriter(outer, []string{"lz4", "zstd"}[by/6%2])
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := outer.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := decoded(&b, encoding, blocks)
		if err == nil {
			var got []byte
			if got, err = io.ReadAll(r); !bytes.Equal(got, text) {
				t.Fatalf("%q came back as %q", text, got)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if r, err := decoded(bytes.NewReader(text), encoding, blocks); err == nil {
			io.Copy(io.Discard, io.LimitReader(r, 1<<20)) // an error is as good as an answer
		}
	})
}
