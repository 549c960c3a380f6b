package schemas

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestGolden: testdata/events holds one event of each type, as it is written by EncodeJSON, only indented.
func TestGolden(t *testing.T) {
	for name := range typesByName {
		path := filepath.Join("testdata", "events", name+".json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("no example of %s: %v", name, err)
			continue
		}
		ev, f := DecodeJSON(text)
		if f != nil {
			t.Errorf("%s: %v", path, f)
			continue
		}
		if got := TypeName(ev.Verb, ev.UnitKind); got != name {
			t.Errorf("%s: type %s", path, got)
		}
		var got bytes.Buffer
		if err := json.Indent(&got, EncodeJSON(ev), "", "  "); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got.WriteByte('\n')
		if *update {
			if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if got.String() != string(text) {
			t.Errorf("%s: got\n%s\nwant\n%s", path, got.String(), text)
		}
		again, f := DecodeJSON(EncodeJSON(ev))
		if f != nil || !proto.Equal(again, ev) {
			t.Errorf("%s does not come back: %v %v", path, f, again)
		}
		viaProto(t, path, ev)
	}
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) != len(typesByName) {
		t.Errorf("%d examples for %d types, %v", len(files), len(typesByName), err)
	}
}

// viaProto: the same event sent as protobuf passes the same checks and comes out the same.
func viaProto(t *testing.T, path string, ev *pb.Event) {
	t.Helper()
	b, err := proto.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	back := new(pb.Event)
	if err := proto.Unmarshal(b, back); err != nil {
		t.Fatal(err)
	}
	if f := Check(back); f != nil {
		t.Errorf("%s as protobuf: %v", path, f)
	}
	if string(EncodeJSON(back)) != string(EncodeJSON(ev)) || Hash(back) != Hash(ev) {
		t.Errorf("%s as protobuf: got %s, want %s", path, EncodeJSON(back), EncodeJSON(ev))
	}
}

const good = `{"specversion":"1.0","type":"train.position","source":"s","id":"1","time":"2026-03-01T08:15:00+05:00","subject":"KTZ:1:2026-03-01","data":{"lat":44.1,"lon":80.2}}`

// TestFaults: what is wrong, where, in what words. Each line of testdata/faults.txt: reason, path, event.
func TestFaults(t *testing.T) {
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := strings.SplitN(line, "  ", 3)
		if len(parts) != 3 {
			t.Fatalf("line %d: %q", i+1, line)
		}
		ev, f := DecodeJSON([]byte(strings.TrimSpace(parts[2])))
		switch want := strings.TrimSpace(parts[0] + " " + strings.Trim(parts[1], "-")); {
		case f == nil && want != "ok":
			t.Errorf("line %d: accepted as %v, want %s", i+1, ev, want)
		case f != nil && strings.TrimSpace(f.Reason+" "+f.Path) != want:
			t.Errorf("line %d: got %v, want %s", i+1, f, want)
		case f != nil && f.Detail == "":
			t.Errorf("line %d: %v says nothing", i+1, f)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]string{
		"2026-03-01T08:15:00+05:00":      "2026-03-01T08:15:00+05:00",
		"2026-03-01T08:15:00Z":           "2026-03-01T08:15:00Z",
		"2026-03-01t08:15:00z":           "2026-03-01T08:15:00Z",
		"2026-03-01 08:15:00+1:00":       "2026-03-01T08:15:00+01:00",
		"2026-03-01T08:15:00+01":         "2026-03-01T08:15:00+01:00",
		"2026-03-01T08:15:00-3":          "2026-03-01T08:15:00-03:00",
		"2026-03-01T08:15:00+0330":       "2026-03-01T08:15:00+03:30",
		"2026-03-01T08:15:00.5Z":         "2026-03-01T08:15:00.500Z",
		"2026-03-01T08:15:00.123999999Z": "2026-03-01T08:15:00.123Z",
		"2024-02-29T23:59:60Z":           "2024-03-01T00:00:00Z",
		"2023-02-29T00:00:00Z":           "",
		"2026-03-01T08:15:00":            "",
		"2026-03-01T24:00:00Z":           "",
		"2026-13-01T00:00:00Z":           "",
		"2026-03-01T08:15:00.Z":          "",
		"2026-03-01T08:15:00+16:00":      "",
		"2026-03-01":                     "",
		"":                               "",
	} {
		ms, offset, ok := ParseTime(text)
		got := ""
		if ok {
			got = string(AppendTime(nil, ms, offset))
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestSplitBatch(t *testing.T) {
	elements, rest, f := SplitBatch([]byte(` [ {"a":[1,2]} , 3,"x" ] `))
	if f != nil || rest != nil || len(elements) != 3 || string(elements[0]) != `{"a":[1,2]}` || string(elements[2]) != `"x"` {
		t.Errorf("got %q, %q, %v", elements, rest, f)
	}
	elements, rest, f = SplitBatch([]byte(`[{"a":1},{"b":oops},{"c":2}]`))
	if f == nil || len(elements) != 1 || string(rest) != `{"b":oops},{"c":2}]` {
		t.Errorf("got %q, %q, %v", elements, rest, f)
	}
	if elements, rest, f = SplitBatch([]byte(`[]`)); f != nil || rest != nil || len(elements) != 0 {
		t.Errorf("got %q, %q, %v", elements, rest, f)
	}
	if elements, rest, f = SplitBatch([]byte(`[1] x`)); f == nil || len(elements) != 1 || string(rest) != " x" {
		t.Errorf("got %q, %q, %v", elements, rest, f)
	}
}

func TestHashLeavesStampsOut(t *testing.T) {
	ev, _ := DecodeJSON([]byte(good))
	plain := Hash(ev)
	ev.IngestedAt, ev.AcceptedAt, ev.Late, ev.Hash = 1, 2, true, 3
	if got := Hash(ev); got != plain || ev.IngestedAt != 1 || ev.AcceptedAt != 2 || !ev.Late || ev.Hash != 3 {
		t.Errorf("hash %d, want %d; event %v", got, plain, ev)
	}
	ev.GetPosition().LatE7++
	if Hash(ev) == plain {
		t.Error("another position, the same hash")
	}
}

func FuzzDecodeJSON(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(good))
	f.Add([]byte(`{"specversion":"1.0","x":[{"\u00e9\ud83d\ude00":-1.5e-3}, null, true, false]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s := scanner{b: text}
		fault := s.skip()
		if fault == nil {
			fault = s.end()
		}
		if json.Valid(text) != (fault == nil) && !excusable(text, fault) {
			t.Fatalf("encoding/json says valid = %v, the scanner %v", json.Valid(text), fault)
		}
		ev, fault := DecodeJSON(text)
		if fault != nil {
			if fault.Reason == "" || fault.Detail == "" {
				t.Fatalf("a fault without words: %+v", fault)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatal("an event out of what is not JSON")
		}
		out := EncodeJSON(ev)
		again, fault := DecodeJSON(out)
		if fault != nil || !proto.Equal(again, ev) {
			t.Fatalf("%s does not come back: %v %v", out, fault, again)
		}
		if Hash(again) != Hash(ev) {
			t.Fatal("the hash does not come back")
		}
		viaProto(t, "fuzzed", ev)
	})
}

// excusable: what the scanner refuses and encoding/json does not: deep nesting and text that is not UTF-8.
func excusable(text []byte, fault *Fault) bool {
	return fault != nil && (strings.Contains(fault.Detail, "deeper") || strings.Contains(fault.Detail, "UTF-8"))
}

func BenchmarkDecodePosition(b *testing.B) {
	text, err := os.ReadFile("testdata/events/train.position.json")
	if err != nil {
		b.Fatal(err)
	}
	var line bytes.Buffer
	if err := json.Compact(&line, text); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, f := DecodeJSON(line.Bytes()); f != nil {
			b.Fatal(f)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkEncodePosition(b *testing.B) {
	ev, _ := DecodeJSON([]byte(good))
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendJSON(buf[:0], ev)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkHash(b *testing.B) {
	ev, _ := DecodeJSON([]byte(good))
	b.ReportAllocs()
	for b.Loop() {
		Hash(ev)
	}
}
