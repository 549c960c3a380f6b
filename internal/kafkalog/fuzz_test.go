package kafkalog

import (
	"bytes"
	"hash/crc32"
	"slices"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
)

// mend gives every batch of a set the checksum of its contents, so that fuzzing gets past it.
func mend(set []byte) []byte {
	set = bytes.Clone(set)
	for b := set; len(b) >= headSize; {
		size := int(int32(order.Uint32(b[atLength:]))) + 12
		if size < headSize || size > len(b) {
			break
		}
		order.PutUint32(b[atChecksum:], crc32.Checksum(b[atAttributes:size], castagnoli))
		b = b[size:]
	}
	return set
}

// FuzzDecode decodes any bytes as record batches: no panic, no more memory than the bytes can justify, offsets in order; and what was
// decoded comes back the same when it is encoded again.
func FuzzDecode(f *testing.F) {
	f.Add(golden(f, "batch.txt"), int64(0), int64(9))
	for c := None; c <= Zstd; c++ {
		b := encode(c, 5, sample...)
		f.Add(bytes.Join([][]byte{at(3, b), at(6, b), b[:70]}, nil), int64(4), int64(-1))
	}
	f.Add(edit(encode(None, 5, Record{Key: []byte{0, 0, 0, 0}}), func(b []byte) { b[atAttributes+1] = controlBit }), int64(0), int64(-1))
	f.Fuzz(func(t *testing.T, set []byte, from, producer int64) {
		if from < 0 {
			return
		}
		set = mend(set)
		a, err := decode(set, from, aborted{producer, 0})
		if a.next < from || err != nil && len(a.records) > 0 {
			t.Errorf("next %d from %d, %d records, %v", a.next, from, len(a.records), err)
		}
		if plain := len(set) + len(a.plain); len(a.records) > plain/minRecord || cap(a.plain) > 4*maxPlain {
			t.Errorf("%d records of %d bytes, %d held", len(a.records), plain, cap(a.plain))
		}
		for _, r := range a.records {
			if r.Offset < from {
				t.Errorf("record %d is before %d", r.Offset, from)
			}
		}
		encodedAgain(t, a.records, Compression(uint64(producer)%uint64(Zstd+1)))
	})
}

// encodedAgain encodes records with a codec and decodes them.
func encodedAgain(t *testing.T, records []Record, c Compression) {
	if len(records) == 0 || len(records) > 1000 {
		return
	}
	b, err := decode(encode(c, 0, records...), 0)
	if err != nil || len(b.records) != len(records) {
		t.Fatalf("%d records, by %s: %d and %v", len(records), c, len(b.records), err)
	}
	for i, r := range b.records {
		w := records[i]
		if !bytes.Equal(r.Key, w.Key) || !bytes.Equal(r.Value, w.Value) || (r.Key == nil) != (w.Key == nil) || (r.Value == nil) != (w.Value == nil) ||
			!slices.EqualFunc(r.Headers, w.Headers, func(a, b Header) bool { return a.Key == b.Key && bytes.Equal(a.Value, b.Value) }) {
			t.Fatalf("record %d by %s: %+v became %+v", i, c, w, r)
		}
	}
}

// FuzzAnswer reads any bytes as the answers to a fetch, a produce and a deletion; and, within the answer to a fetch, as what lies in
// the log.
func FuzzAnswer(f *testing.F) {
	b := encode(None, 5, sample...)
	f.Add(fetchAnswer("t", 0, b))
	f.Add(fetchAnswer("other", 3, b[:20]))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 60))
	f.Fuzz(func(t *testing.T, body []byte) {
		a := &answer{}
		a.reset(0, 0)
		a.buf = body
		f := &fetch{topic: "t", ans: a}
		if err := f.take(); err == nil && a.next > 0 && a.lastBase < 0 {
			t.Error("moved on without a batch")
		}
		b := &answer{}
		b.reset(0, 0)
		b.buf = fetchAnswer("t", 0, mend(body))
		c, wrong := decode(mend(body), 0, aborted{}) // as fetchAnswer says
		if err := (&fetch{topic: "t", ans: b}).take(); (err == nil) != (wrong == nil) || len(b.records) != len(c.records) || b.next != c.next {
			t.Errorf("%d records to %d, %v; in an answer %d to %d, %v", len(c.records), c.next, wrong, len(b.records), b.next, err)
		}
		p := &produce{parts: []part{{topic: "t"}}, answer: body}
		if err := p.take(); err == nil && p.parts[0].err == nil && len(body) < 30 {
			t.Error("acknowledged by nothing")
		}
		(&deleteRecords{topic: "t", answer: body}).take()
	})
}

// fetchAnswer is what a broker answers to a fetch of one partition.
func fetchAnswer(topic string, partition int, set []byte) []byte {
	b := make([]byte, 4+2+4) // throttle time, error, session
	b = order.AppendUint32(b, 1)
	b = appendString(b, topic)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint32(b, uint32(partition))
	b = append(b, make([]byte, 2+8+8+8)...) // error, high watermark, last stable offset, log start
	b = order.AppendUint32(b, 1)
	b = append(b, make([]byte, 16)...) // an aborted transaction
	b = order.AppendUint32(b, ^uint32(0))
	b = order.AppendUint32(b, uint32(len(set)))
	return append(b, set...)
}

func TestFetchAnswer(t *testing.T) {
	for _, c := range []struct {
		body []byte
		n    int
		ok   bool
	}{
		{fetchAnswer("t", 0, encode(None, 5, sample...)), 3, true},
		{fetchAnswer("t", 0, nil), 0, true},
		{fetchAnswer("u", 0, nil), 0, false},
		{fetchAnswer("t", 1, nil), 0, false},
		{fetchAnswer("t", 0, nil)[:50], 0, false},
	} {
		a := &answer{}
		a.reset(0, 0)
		a.buf = c.body
		if err := (&fetch{topic: "t", ans: a}).take(); (err == nil) != c.ok || len(a.records) != c.n {
			t.Errorf("% x: %v, %d records, want %d", c.body, err, len(a.records), c.n)
		}
	}
}

// The head of an answer decides how much is allocated and whose answer it is.
func TestAnswerHead(t *testing.T) {
	for name, head := range map[string][]byte{
		"huge":      {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		"negative":  {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1},
		"tiny":      {0, 0, 0, 3, 0, 0, 0, 1},
		"another's": {0, 0, 0, 9, 0, 0, 0, 2},
		"cut":       {0, 0, 0, 9},
	} {
		if _, err := readAnswerHead(bytes.NewReader(head), 1); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var w bytes.Buffer
	f := &fetch{topic: "t", answers: &sync.Pool{}, version: fetchVersion - 1}
	if _, err := f.RawExchange(&w); err == nil || w.Len() > 0 {
		t.Errorf("an old broker: %v, %d bytes sent", err, w.Len())
	}
	if !f.Required(map[protocol.ApiKey]int16{protocol.Fetch: fetchVersion}) || f.version != fetchVersion {
		t.Error("version not taken")
	}
}
