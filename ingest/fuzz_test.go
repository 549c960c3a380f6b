package ingest

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/normal"
)

// FuzzHTTP posts any body under any content type: every element of it is either handed to Kafka as an event or as a reject, in what
// the answer says, and no byte of the body lies outside of all elements. Zipped it is answered the same.
func FuzzHTTP(f *testing.F) {
	cat, err := network.Embedded()
	if err != nil {
		f.Fatal(err)
	}
	one, other := event("1", "s", "kz-altynkol"), event("2", "s", "kz-nowhere")
	for _, body := range []string{one, "[" + one + "," + other + "]", one + "\n\n[" + other + ",3]\r\nnonsense", "[" + one + ",{", " [ ] ", "{}"} {
		f.Add(schemas.JSONType, []byte(body))
		f.Add("application/x-ndjson", []byte(body))
	}
	f.Add("application/json; charset=utf-8", []byte("\xff[1,\"\\ud800\"]"))
	f.Add("text/plain", []byte("x"))
	q := &Queue{in: make(chan *parcel)}
	handler := NewHTTP(HTTPConfig{Queue: q, Form: normal.New(cat), MaxBytes: 1 << 16})
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		status, a, p := posted(t, handler, q, contentType, "", body)
		if len(p.events) != a.Accepted || len(p.bad) != a.Rejected || len(a.Results) != a.Accepted+a.Rejected {
			t.Fatalf("%d events and %d rejects were sent; answered was %d %+v", len(p.events), len(p.bad), status, a)
		}
		if (a.Error == "") != (status == 200 || status == 207 || status == 422) {
			t.Fatalf("status %d with %+v", status, a)
		}
		whole(t, a, p)
		var zipped bytes.Buffer
		z := gzip.NewWriter(&zipped)
		z.Write(body)
		z.Close()
		if again, b, _ := posted(t, handler, q, contentType, "gzip", zipped.Bytes()); again != status || b.Accepted != a.Accepted || b.Rejected != a.Rejected {
			t.Fatalf("answered %d %+v, zipped %d %+v", status, a, again, b)
		}
		posted(t, handler, q, contentType, "gzip", body) // which it hardly is
		nothingBetween(t, newDocument(body), body)
		nothingBetween(t, newJSONLines(bytes.NewReader(body)), body)
	})
}

// posted posts a body and returns what was answered, and what was handed in for Kafka.
func posted(t *testing.T, h http.Handler, q *Queue, contentType, encoding string, body []byte) (int, answer, *parcel) {
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/events", bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Content-Encoding", encoding)
	w, done, p := httptest.NewRecorder(), make(chan struct{}), new(parcel)
	go func() { h.ServeHTTP(w, req); close(done) }()
	select {
	case p = <-q.in:
		p.done <- nil
		<-done
	case <-done:
	}
	var a answer
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%q: %v", w.Body, err)
	}
	return w.Code, a, p
}

// whole: accepted and rejected elements stand in the answer as they were handed in, and what is handed in can be sent.
func whole(t *testing.T, a answer, p *parcel) {
	events, bad := p.events, p.bad
	for _, r := range a.Results {
		switch {
		case r.Status == "accepted":
			if r.ID != events[0].Id {
				t.Fatalf("%q was accepted, %q sent", r.ID, events[0].Id)
			}
			if _, err := proto.Marshal(events[0]); err != nil {
				t.Fatal(err)
			}
			events = events[1:]
		case r.Reason == "" || r.Detail == "":
			t.Fatalf("rejected without words: %+v", r)
		default:
			if bad[0].fault.Reason != r.Reason || bad[0].ct == "" {
				t.Fatalf("rejected as %+v, sent as %+v", r, bad[0])
			}
			bad = bad[1:]
		}
	}
}

// nothingBetween: what is left of a body when all elements are taken out is brackets, commas and blanks.
func nothingBetween(t *testing.T, r reader, body []byte) {
	for rest := body; ; {
		it, err := r.next()
		raw := it.raw
		if errors.Is(err, io.EOF) {
			raw = rest[len(rest):]
		} else if err != nil {
			t.Fatal(err)
		}
		gap, after, ok := bytes.Cut(rest, raw)
		if errors.Is(err, io.EOF) {
			gap, after = rest, nil
		}
		if !ok || len(bytes.TrimFunc(gap, between)) > 0 {
			t.Fatalf("%q lies between the elements of %q; the next is %q", gap, body, raw)
		}
		if err != nil {
			return
		}
		rest = after
	}
}

func between(r rune) bool { return strings.ContainsRune(blanks+"[],", r) }

// FuzzCSV reads any file under any mapping: every row becomes an event or a fault with words and the row itself, the same each time,
// and cells are those that encoding/csv finds.
func FuzzCSV(f *testing.F) {
	for _, name := range []string{"commuter", "stations"} {
		text, err := os.ReadFile("testdata/" + name + ".csv")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "type=train.position,source=caltrain,subject=Caltrain:{train_id[9:]}:{train_id[:8]},time=time,lat=lat,lon=lon")
	}
	f.Add([]byte("t;id\n1772323200.5;\"a;b\"\n\n1e300;x\"y\n\"open;\n"), "type=train.ended,time=t,time_layouts=unix,subject=KTZ:{id}:2026-03-01,comma=;")
	f.Add([]byte("\ufefft\tid\r\n2026-03-01 08:00\tQ\r\n"), "type=unit.arrived,time=t,time_layouts=2006-01-02 15:04,time_zone=Asia/Almaty,subject=id,comma=tab,place=Aktau")
	f.Fuzz(func(t *testing.T, text []byte, mapping string) {
		m, err := ParseMapping(mapping)
		if err != nil {
			return
		}
		r, err := newCSV(bytes.NewReader(text), m)
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		rows := 0
		for ; ; rows++ {
			it, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			sound(t, it)
		}
		if want, ok := plainRows(text, m.comma()); ok && rows != want {
			t.Fatalf("%d rows, want %d", rows, want)
		}
		if a, b := readAll(t, string(text), m), readAll(t, string(text), m); a != b {
			t.Fatalf("read twice:\n%s\nand\n%s", a, b)
		}
	})
}

// sound: an item is an event that comes back from its JSON, or a fault with what it is about.
func sound(t *testing.T, it item) {
	if it.fault != nil {
		if it.fault.Reason == "" || it.fault.Detail == "" || len(it.raw) == 0 || it.ct == "" {
			t.Fatalf("a fault without words or row: %+v", it)
		}
		return
	}
	out := schemas.EncodeJSON(it.ev)
	again, f := schemas.DecodeJSON(out)
	if f != nil || !proto.Equal(again, it.ev) {
		t.Fatalf("%s does not come back: %v %v", out, f, again)
	}
}

// plainRows counts the rows behind the header as encoding/csv does, for files of which both must think the same.
func plainRows(text []byte, comma byte) (int, bool) {
	if bytes.ContainsAny(text, "\r\x00\v\f\u0085\u00a0\u2028\u2029\u3000\ufeff") || comma >= 0x80 || comma < ' ' && comma != '\t' {
		return 0, false
	}
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" && strings.TrimSpace(line) == "" {
			return 0, false // a blank line, which encoding/csv does not step over
		}
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord = rune(comma), -1
	all, err := r.ReadAll()
	if err != nil || len(all) == 0 {
		return 0, false
	}
	for _, row := range all {
		if strings.Count(fmt.Sprint(row), "\n") > maxRowLines-2 {
			return 0, false
		}
		if cells, ok := asOurs(row, comma); ok && !equal(cells, row) {
			return -1, true
		}
	}
	return len(all) - 1, true
}

// asOurs writes cells as a row and splits it.
func asOurs(row []string, comma byte) ([]string, bool) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	w.Comma = rune(comma)
	if w.Write(row) != nil {
		return nil, false
	}
	w.Flush()
	cells, f := splitCSV(bytes.TrimSuffix(b.Bytes(), []byte("\n")), comma, nil)
	if f != nil {
		return nil, true
	}
	return cells, true
}

func equal(a, b []string) bool { return strings.Join(a, "\x00") == strings.Join(b, "\x00") }
