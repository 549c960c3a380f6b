package kafkalog

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// golden reads bytes written as hex, a field a line, with comments.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		field, _, _ := strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(field), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// encode makes a batch as an Appender does.
func encode(codec Compression, timeMS int64, records ...Record) []byte {
	b := appendHeadRoom(nil)
	for i, r := range records {
		b = appendRecord(b, recordSize(i, r.Key, r.Value, r.Headers), i, r.Key, r.Value, r.Headers)
	}
	if codec != None {
		b, _ = codec.deflate(bytes.Clone(b[:headSize]), b[headSize:])
	}
	fillHead(b, len(records), timeMS, codec)
	return b
}

// decode decodes a set from an offset.
func decode(set []byte, from int64, gone ...aborted) (*answer, error) {
	a := &answer{}
	a.reset(from, 0)
	return a, a.decode(set, gone)
}

// at moves a batch to an offset, as a broker does.
func at(base int64, b []byte) []byte {
	b = bytes.Clone(b)
	order.PutUint64(b, uint64(base))
	return b
}

// edit changes a batch and mends its checksum.
func edit(b []byte, change func(b []byte)) []byte {
	b = bytes.Clone(b)
	change(b)
	order.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:], castagnoli))
	return b
}

func show(a *answer) string {
	var s strings.Builder
	for _, r := range a.records {
		fmt.Fprintf(&s, "%d@%d %q=%q", r.Offset, r.TimeMS, r.Key, r.Value)
		for _, h := range r.Headers {
			fmt.Fprintf(&s, " %s:%q", h.Key, h.Value)
		}
		s.WriteString("\n")
	}
	return s.String() + fmt.Sprintf("next %d last %d", a.next, a.lastBase)
}

var sample = []Record{
	{Key: []byte("run-1"), Value: []byte("arrived"), Headers: []Header{{"content-type", []byte("application/json")}, {"none", nil}}},
	{Value: []byte{}},
	{Key: bytes.Repeat([]byte("k"), 100)},
}

func TestBatchGolden(t *testing.T) {
	want := golden(t, "batch.txt")
	if got := encode(None, 1760000000123, sample...); !bytes.Equal(got, want) {
		t.Errorf("encoded\n%s", hex.Dump(got))
	}
	a, err := decode(want, 0)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("0@1760000000123 \"run-1\"=\"arrived\" content-type:\"application/json\" none:\"\"\n1@1760000000123 \"\"=\"\"\n"+
		"2@1760000000123 %q=\"\"\nnext 3 last 0", sample[2].Key)
	if got := show(a); got != text {
		t.Errorf("decoded\n%s\nwant\n%s", got, text)
	}
	if a.records[1].Key != nil || a.records[1].Value == nil || a.records[2].Value != nil || a.records[0].Headers[1].Value != nil {
		t.Error("null and empty are confused")
	}
}

// kafka-go's own decoder reads what this package encodes.
func TestBatchReadByKafkaGo(t *testing.T) {
	b := encode(None, 1760000000123, sample...)
	sized := append(order.AppendUint32(nil, uint32(len(b))), b...)
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(sized)); err != nil {
		t.Fatal(err)
	}
	for i, want := range sample {
		r, err := set.Records.ReadRecord()
		if err != nil {
			t.Fatal(err)
		}
		key, _ := protocol.ReadAll(r.Key)
		value, _ := protocol.ReadAll(r.Value)
		if !bytes.Equal(key, want.Key) || !bytes.Equal(value, want.Value) || r.Time.UnixMilli() != 1760000000123 || len(r.Headers) != len(want.Headers) {
			t.Errorf("record %d: %q=%q at %s with %d headers", i, key, value, r.Time, len(r.Headers))
		}
	}
	if _, err := set.Records.ReadRecord(); err != io.EOF {
		t.Errorf("after the last record: %v", err)
	}
}

func TestVarint(t *testing.T) {
	for _, v := range []int64{0, -1, 1, 63, -64, 64, 127, 128, 8191, 8192, 1 << 20, -1 << 31, 1<<63 - 1, -1 << 63} {
		b := appendVarint(nil, v)
		f := fields{b: b}
		if got := f.varint(); got != v || f.bad || len(f.b) != 0 || varintSize(v) != len(b) {
			t.Errorf("%d: % x, size %d, read back %d", v, b, varintSize(v), got)
		}
	}
	f := fields{b: bytes.Repeat([]byte{0xff}, 11)}
	if f.varint(); !f.bad {
		t.Error("a varint of 11 bytes was read")
	}
}

func TestDecode(t *testing.T) {
	two := encode(None, 5, Record{Value: []byte("a")}, Record{Value: []byte("b")})
	control := func(kind byte, base, producer int64) []byte {
		return edit(at(base, encode(None, 5, Record{Key: []byte{0, 0, 0, kind}, Value: []byte{0, 0, 0, 0, 0, 0}})), func(b []byte) {
			b[atAttributes+1] = controlBit | transactionalBit
			order.PutUint64(b[atProducer:], uint64(producer))
		})
	}
	ofTx := func(base, producer int64) []byte {
		return edit(at(base, two), func(b []byte) {
			b[atAttributes+1] = transactionalBit
			order.PutUint64(b[atProducer:], uint64(producer))
		})
	}
	// What compaction leaves: the first record is gone, and the last of five, but the batch keeps its offsets.
	gap := edit(at(10, encode(None, 5, Record{Value: []byte("c")})), func(b []byte) { order.PutUint32(b[atLastDelta:], 4) })
	empty := edit(at(15, appendHeadRoom(nil)), func(b []byte) { fillHead(b, 0, 5, None); order.PutUint32(b[atLastDelta:], 4) })
	set := func(batches ...[]byte) []byte { return bytes.Join(batches, nil) }
	for name, c := range map[string]struct {
		set  []byte
		from int64
		gone []aborted
		want string
	}{
		"nothing":            {nil, 7, nil, "next 7 last -1"},
		"two batches":        {set(at(4, two), at(6, two)), 5, nil, "5@5 \"\"=\"b\"\n6@5 \"\"=\"a\"\n7@5 \"\"=\"b\"\nnext 8 last 6"},
		"cut last batch":     {set(at(4, two), at(6, two)[:40]), 4, nil, "4@5 \"\"=\"a\"\n5@5 \"\"=\"b\"\nnext 6 last 4"},
		"cut in its length":  {set(at(4, two), at(6, two)[:9]), 4, nil, "4@5 \"\"=\"a\"\n5@5 \"\"=\"b\"\nnext 6 last 4"},
		"compacted":          {gap, 10, nil, "10@5 \"\"=\"c\"\nnext 15 last 10"},
		"compacted to empty": {set(gap, empty), 11, nil, "next 20 last 15"},
		"control at the end": {set(at(0, two), control(1, 2, 9)), 0, nil, "0@5 \"\"=\"a\"\n1@5 \"\"=\"b\"\nnext 3 last 2"},
		"aborted, then not": {set(ofTx(0, 9), control(0, 2, 9), ofTx(3, 9)), 0, []aborted{{9, 0}},
			"3@5 \"\"=\"a\"\n4@5 \"\"=\"b\"\nnext 5 last 3"},
		"aborted later":   {set(ofTx(0, 9), ofTx(2, 9)), 0, []aborted{{9, 2}}, "0@5 \"\"=\"a\"\n1@5 \"\"=\"b\"\nnext 4 last 2"},
		"another aborted": {set(ofTx(0, 9), at(2, two)), 0, []aborted{{8, 0}}, "0@5 \"\"=\"a\"\n1@5 \"\"=\"b\"\n2@5 \"\"=\"a\"\n3@5 \"\"=\"b\"\nnext 4 last 2"},
		"broker's time": {edit(two, func(b []byte) { b[atAttributes+1] = logAppendTimeBit; order.PutUint64(b[atMaxTime:], 77) }), 1, nil,
			"1@77 \"\"=\"b\"\nnext 2 last 0"},
		"sound before unsound": {set(at(4, two), bytes.Repeat([]byte{1}, 80)), 4, nil, "4@5 \"\"=\"a\"\n5@5 \"\"=\"b\"\nnext 6 last 4"},
	} {
		a, err := decode(c.set, c.from, c.gone...)
		if err != nil || show(a) != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", name, err, show(a), c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	good := encode(None, 5, sample...)
	for want, set := range map[string][]byte{
		"checksum is":       func() []byte { b := bytes.Clone(good); b[len(b)-1] ^= 1; return b }(),
		"format 1":          func() []byte { b := bytes.Clone(good); b[atMagic] = 1; return b }(),
		"length 7":          func() []byte { b := bytes.Clone(good); order.PutUint32(b[atLength:], 7); return b }(),
		"cut off":           good[:len(good)-1],
		"offset delta -1":   edit(good, func(b []byte) { order.PutUint32(b[atLastDelta:], ^uint32(0)) }),
		"records in":        edit(good, func(b []byte) { order.PutUint32(b[atCount:], 1<<30) }),
		"unreadable record": edit(good, func(b []byte) { order.PutUint32(b[atCount:], 4) }),
		"codec 5":           edit(good, func(b []byte) { b[atAttributes+1] = 5 }),
		"codec 4 (zstd)":    edit(good, func(b []byte) { b[atAttributes+1] = 4 }),
		"codec 3 (lz4)":     edit(good, func(b []byte) { b[atAttributes+1] = 3 }),
		"codec 2 (snappy)":  edit(good, func(b []byte) { b[atAttributes+1] = 2 }),
		"codec 1 (gzip)":    edit(good, func(b []byte) { b[atAttributes+1] = 1 }),
	} {
		a, err := decode(set, 0)
		if err == nil || !strings.Contains(err.Error(), want) || len(a.records) != 0 || a.next != 0 {
			t.Errorf("want an error with %q, got %v and %d records", want, err, len(a.records))
		}
	}
}

// A small batch that decompresses to much is refused.
func TestDecompressionIsBounded(t *testing.T) {
	big := make([]byte, maxPlain+1<<20)
	for _, codec := range []Compression{Gzip, Snappy, Lz4, Zstd} {
		small, err := codec.deflate(nil, big)
		if err != nil {
			t.Fatal(err)
		}
		var i inflater
		out, err := i.inflate(nil, small, codec)
		if err == nil || cap(out) > 2*maxPlain {
			t.Errorf("%s: %d bytes became %d, %v", codec, len(small), len(out), err)
		}
	}
}
