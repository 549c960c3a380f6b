package intake_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/processors/stream/foldtest"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

var update = flag.Bool("update", false, "write what comes out into the scenarios")

// TestScenarios plays testdata/*.txt. Lines of a scenario:
//
//	wall                        the installation runs on wall time (at the top)
//	tick TIME                   a tick, in protobuf
//	header NAME: VALUE          of the record that follows
//	event TYPE SUBJECT ID TIME DATA    a CloudEvent in JSON of source "s"
//	proto TYPE SUBJECT ID TIME DATA    the same as protobuf
//	json TEXT                   a record of these bytes
//	> ...                       what came out of the line before
func TestScenarios(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, cat, string(text))
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("got\n%s\nwant\n%s", got, text)
			}
		})
	}
}

// player folds the lines of one scenario and writes down what comes out.
type player struct {
	t       *testing.T
	fold    *foldtest.Fold
	now     int64
	offset  int64
	headers []kafkalog.Header
	out     strings.Builder
}

func play(t *testing.T, cat *network.Catalog, text string) string {
	return newPlayer(t, cat, text, 0).out.String()
}

// newPlayer plays a scenario; the fold is restarted after every so many records.
func newPlayer(t *testing.T, cat *network.Catalog, text string, every int) *player {
	p := &player{t: t}
	var cfg intake.Config
	for _, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		if strings.HasPrefix(line, ">") {
			continue
		}
		p.out.WriteString(line + "\n")
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "", "#":
			continue
		case "wall":
			cfg.Wall = true
			continue
		}
		if p.fold == nil {
			p.fold = foldtest.New(intake.Stage(cat, cfg), every)
		}
		p.play(word, rest)
	}
	return p
}

func (p *player) play(word, rest string) {
	switch word {
	case "tick":
		p.record(marshal(p.t, &pb.Event{Source: "clock", Id: rest, Verb: pb.Verb_TICK, Time: ms(p.t, rest)}))
	case "header":
		name, value, _ := strings.Cut(rest, ": ")
		p.headers = append(p.headers, kafkalog.Header{Key: name, Value: []byte(value)})
	case "json":
		p.record([]byte(rest))
	case "event":
		p.record(cloudEvent(p.t, rest))
	case "proto":
		ev, f := schemas.DecodeJSON(cloudEvent(p.t, rest))
		if f != nil {
			p.t.Fatalf("%s: %v", rest, f)
		}
		p.record(marshal(p.t, ev))
	default:
		p.t.Fatalf("line %q", word)
	}
}

func cloudEvent(t *testing.T, line string) []byte {
	parts := strings.SplitN(line, " ", 5)
	if len(parts) < 5 {
		t.Fatalf("want TYPE SUBJECT ID TIME DATA: %q", line)
	}
	head, err := json.Marshal(map[string]string{"specversion": "1.0", "type": parts[0], "subject": parts[1], "id": parts[2], "time": parts[3], "source": "s"})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(bytes.TrimSuffix(head, []byte("}")), `,"data":%s}`, parts[4])
}

// record folds one record; the runtime's part, taking the tick's time, is played too.
func (p *player) record(value []byte) {
	raw := &kafkalog.Record{Value: value, Headers: p.headers, Offset: p.offset}
	out := stream.NewOut(p.emit, func(t int64) {
		fmt.Fprintf(&p.out, "> tick %s\n", clock(t))
		p.now = max(p.now, t)
	})
	p.fold.Fold(stream.In{Now: p.now, Raw: raw, Partition: 3}, out)
	p.offset++
	p.headers = nil
}

func (p *player) emit(topic, key string, rec *pb.Record) {
	switch b := rec.Body.(type) {
	case *pb.Record_Event:
		ev := b.Event
		line := schemas.EncodeJSON(ev)
		at := bytes.Index(line, []byte(`"data":`))
		data := "-"
		if at > 0 {
			data = string(line[at+7 : len(line)-1])
		}
		fmt.Fprintf(&p.out, "> %s %s: %s %v %s %s %s", topic, key, schemas.TypeName(ev.Verb, ev.UnitKind), ev.UnitKind, ev.Id, clock(ev.Time), data)
		if ev.Late {
			p.out.WriteString(" LATE")
		}
		if ev.ImpliedBy != "" {
			p.out.WriteString(" implied by " + ev.ImpliedBy)
		}
		p.out.WriteString("\n")
		if ev.AcceptedAt != p.now || ev.Hash != schemas.Hash(ev) || ev.IngestedAt == 0 && p.now != 0 {
			p.t.Errorf("stamps of %v at %d", ev, p.now)
		}
	case *pb.Record_Reject:
		r := b.Reject
		fmt.Fprintf(&p.out, "> %s %s: %s at %q attempts=%d %d bytes of %s from %q", topic, key, r.Reason, r.Path, r.Attempts, len(r.Value), r.ContentType, r.Source)
		if r.AcceptedAt != 0 {
			p.out.WriteString(" ACCEPTED " + clock(r.AcceptedAt))
		}
		fmt.Fprintf(&p.out, "\n>   %s\n", r.Detail)
		if r.Id != key {
			p.t.Errorf("reject %s under key %s", r.Id, key)
		}
	default:
		p.t.Errorf("%s %s: %v", topic, key, rec)
	}
	if _, err := proto.Marshal(rec); err != nil {
		p.t.Errorf("what comes out cannot be written: %v", err)
	}
}

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ms(t *testing.T, text string) int64 {
	v, _, ok := schemas.ParseTime(text)
	if !ok {
		t.Fatalf("time %q", text)
	}
	return v
}

func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("02T15:04:05") }

// TestRejectedAgain sends an event that cannot be taken twice, as ingest does when it is started again: it is one reject.
func TestRejectedAgain(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	fold := intake.Stage(cat, intake.Config{}).New()
	var got []*pb.Reject
	out := stream.NewOut(func(_, _ string, rec *pb.Record) { got = append(got, rec.GetReject()) }, nil)
	for i := range int64(2) {
		value := marshal(t, &pb.Event{Source: "s", Id: "1", Verb: pb.Verb_ARRIVED, UnitKind: pb.UnitKind_TRAIN, Subject: "KTZ:1:2026-03-01",
			Place: "nowhere", Time: 1772323200000, IngestedAt: 1772323200000 + i})
		fold.Fold(stream.In{Now: 1772323200000, Raw: &kafkalog.Record{Value: value}}, out)
	}
	if len(got) != 2 || !proto.Equal(got[0], got[1]) {
		t.Errorf("sent again it is another reject: %v", got)
	}
}

func BenchmarkFoldPosition(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	ev := &pb.Event{Source: "//ktz.kz/gps", Id: "a7f3-118", Verb: pb.Verb_POSITION, UnitKind: pb.UnitKind_TRAIN, Subject: "KTZ:7084-087-1306:2026-03-01",
		Time: 1772323200000, OffsetMin: 300, Data: &pb.Event_Position{Position: &pb.Position{LatE7: 441712000, LonE7: 802601000}}}
	value, err := proto.Marshal(ev)
	if err != nil {
		b.Fatal(err)
	}
	fold := intake.Stage(cat, intake.Config{Wall: true}).New()
	out := stream.NewOut(func(string, string, *pb.Record) {}, func(int64) {})
	b.ReportAllocs()
	for b.Loop() {
		fold.Fold(stream.In{Now: 1772323200000, Raw: &kafkalog.Record{Value: value}}, out)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
