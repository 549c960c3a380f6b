package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/normal"
	"corridorwatch/schemas/pb"
)

const (
	prefix     = "t"
	partitions = 2
)

func newLog(t testing.TB) *kafkalog.Client {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	log := kafkalog.New(kafkalog.Config{Brokers: cluster.ListenAddrs()})
	t.Cleanup(func() { log.Close() })
	spec := kafkalog.TopicSpec{Name: schemas.InKafka(prefix, schemas.Intake), Partitions: partitions, Replication: 1}
	if err := log.CreateTopics(t.Context(), []kafkalog.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	return log
}

// intake returns what lies in a partition of the intake topic, in words.
func intake(t testing.TB, log *kafkalog.Client, partition int) (all []string) {
	t.Helper()
	topic := schemas.InKafka(prefix, schemas.Intake)
	_, end, err := log.Offsets(t.Context(), topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	r := log.Reader(topic, partition, 0)
	for r.Offset() < end {
		b, err := r.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range b.Records {
			all = append(all, words(t, rec))
		}
	}
	return all
}

func words(t testing.TB, rec kafkalog.Record) string {
	t.Helper()
	if len(rec.Headers) > 0 {
		s := "raw"
		for _, h := range rec.Headers[:min(len(rec.Headers), 3)] {
			s += " " + string(h.Value)
		}
		return s
	}
	ev := new(pb.Event)
	if err := proto.Unmarshal(rec.Value, ev); err != nil {
		t.Fatal(err)
	}
	at := time.UnixMilli(ev.Time).UTC().Format("15:04:05")
	if ev.Verb == pb.Verb_TICK {
		return "tick " + at
	}
	if string(rec.Key) != ev.Subject || ev.IngestedAt == 0 {
		t.Errorf("key %q of %v", rec.Key, ev)
	}
	return schemas.TypeName(ev.Verb, ev.UnitKind) + " " + ev.Id + " " + at
}

func both(t testing.TB, log *kafkalog.Client) string {
	var out strings.Builder
	for p := range partitions {
		fmt.Fprintf(&out, "%d\n", p)
		for _, w := range intake(t, log, p) {
			out.WriteString("  " + w + "\n")
		}
	}
	return out.String()
}

func TestFilesInDataTime(t *testing.T) {
	log := newLog(t)
	w := NewWriter(log, prefix, partitions)
	var told string
	o := Options{Paths: []string{"testdata/mixed.jsonl"}, DataTime: true, Progress: func(read, accepted, rejected int64) {
		told = fmt.Sprint(read, accepted, rejected)
	}}
	res, err := Files(t.Context(), w, o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Read != 9 || res.Sent != 6 || res.Rejected != 3 || w.Acknowledged() != 9 || told != "9 6 3" {
		t.Errorf("got %+v, acknowledged %d, told %s", res, w.Acknowledged(), told)
	}
	const want = `0
  tick 03:00:00
  train.position 2 03:00:40
  raw application/cloudevents+json
  tick 03:01:00
  train.arrived 5 03:01:30
  tick 03:05:00
  tick 03:06:00
  train.position 8 03:06:30
  raw application/cloudevents+json far_ahead time
  tick 03:08:00
1
  tick 03:00:00
  train.position 1 03:00:10
  raw application/cloudevents+json
  tick 03:01:00
  train.arrived 4 03:01:20
  tick 03:05:00
  train.departed 6 03:05:30
  tick 03:06:00
  tick 03:08:00
`
	if got := both(t, log); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	closing := time.Date(2026, 3, 1, 3, 8, 0, 0, time.UTC)
	next, err := NextTick(t.Context(), log, prefix, res.Offsets)
	if err != nil || !next.Equal(closing) || !res.LastTick.Equal(closing) {
		t.Errorf("next tick %v %v, closing %v, want %v", next, err, res.LastTick, closing)
	}

	// Again: the same events, and a closing tick that is later than all before, so that somebody can wait for it.
	res, err = Files(t.Context(), w, o)
	if err != nil {
		t.Fatal(err)
	}
	if next, err = NextTick(t.Context(), log, prefix, res.Offsets); err != nil || !next.After(closing) || next.Sub(closing) > time.Second {
		t.Errorf("next tick %v %v, want just after %v", next, err, closing)
	}
	if last, err := LastTick(t.Context(), w); err != nil || last != next.UnixMilli() {
		t.Errorf("last tick %d %v, want %d", last, err, next.UnixMilli())
	}
}

func TestFilesInWallTime(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	log := newLog(t)
	zipped := filepath.Join(t.TempDir(), "mixed")
	text, err := os.ReadFile("testdata/mixed.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text)
	z.Close()
	if err := os.WriteFile(zipped, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	// With the catalogue's normal form the unknown place is found here already.
	o := Options{Paths: []string{zipped, "-"}, Stdin: bytes.NewReader(text), Form: normal.New(cat)}
	res, err := Files(t.Context(), NewWriter(log, prefix, partitions), o)
	if err != nil {
		t.Fatal(err)
	}
	if res.Read != 18 || res.Sent != 12 || res.Rejected != 6 || !res.LastTick.IsZero() {
		t.Errorf("got %+v", res)
	}
	if got := both(t, log); strings.Contains(got, "tick") || strings.Count(got, "raw application/cloudevents+json\n") != 6 {
		t.Errorf("got\n%s", got)
	}
	if _, err := Files(t.Context(), NewWriter(log, prefix, partitions), Options{Paths: []string{"testdata/none"}}); err == nil {
		t.Error("a file that is not there is no error")
	}
}

// TestEvents: a producer that makes its events as it goes.
func TestEvents(t *testing.T) {
	log := newLog(t)
	ev := func(id string, minute int64) *pb.Event {
		return &pb.Event{Source: "s", Id: id, Verb: pb.Verb_POSITION, UnitKind: pb.UnitKind_TRAIN, Subject: "KTZ:" + id + ":2026-03-01",
			Time: day.UnixMilli() + minute*60_000, Data: &pb.Event_Position{Position: &pb.Position{LatE7: 1, LonE7: 1}}}
	}
	seq := func(yield func(*pb.Event, error) bool) {
		_ = yield(ev("a", 1), nil) && yield(ev("b", 1), nil) && yield(ev("c", 3), nil)
	}
	res, err := Events(t.Context(), NewWriter(log, prefix, partitions), seq, Options{DataTime: true, Beyond: time.Hour})
	if err != nil || res.Read != 3 || res.Sent != 3 || !res.LastTick.Equal(day.Add(time.Hour+4*time.Minute)) {
		t.Errorf("got %+v, %v", res, err)
	}
	if got := both(t, log); strings.Count(got, "tick") != 6 || strings.Count(got, "train.position") != 3 {
		t.Errorf("in the log\n%s", got)
	}
	broken := errors.New("broken")
	seq = func(yield func(*pb.Event, error) bool) { yield(nil, broken) }
	if _, err := Events(t.Context(), NewWriter(log, prefix, partitions), seq, Options{}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

// TestPipe: lines piped in are sent while the pipe stays open.
func TestPipe(t *testing.T) {
	log := newLog(t)
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := Files(t.Context(), NewWriter(log, prefix, partitions), Options{Paths: []string{"-"}, Stdin: r})
		done <- err
	}()
	fmt.Fprintln(w, event("1", "s", "kz-altynkol"))
	topic := schemas.InKafka(prefix, schemas.Intake)
	reader := log.Reader(topic, schemas.Partition("KTZ:1:2026-03-01", partitions), 0)
	for n := 0; n == 0; {
		b, err := reader.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n = len(b.Records)
	}
	w.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWaitingEnds(t *testing.T) {
	log := newLog(t)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if at, err := NextTick(ctx, log, prefix, []int64{0, 0}); err == nil {
		t.Errorf("a tick at %v in an empty topic", at)
	}
	if last, err := LastTick(t.Context(), NewWriter(log, prefix, partitions)); err != nil || last != 0 {
		t.Errorf("last tick %d, %v", last, err)
	}
}

func TestClock(t *testing.T) {
	log := newLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	began := time.Now().UnixMilli()
	go func() {
		c := Clock{Writer: NewWriter(log, prefix, partitions), Every: 5 * time.Millisecond}
		done <- c.Run(ctx)
	}()
	offsets := []int64{0, 0}
	last := time.UnixMilli(began)
	for n := 0; n < 3 || last.UnixMilli() <= began+10; n++ { // two ticks may fall into one millisecond
		at, err := NextTick(t.Context(), log, prefix, offsets)
		if err != nil || at.Before(last) {
			t.Fatalf("tick %v after %v, %v", at, last, err)
		}
		last = at
		for p := range offsets {
			offsets[p]++
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func BenchmarkFiles(b *testing.B) {
	path := filepath.Join(b.TempDir(), "positions.jsonl")
	var text bytes.Buffer
	const rows = 200_000
	for i := range rows {
		at := time.Date(2026, 3, 1, 0, 0, i/10, 0, time.UTC)
		fmt.Fprintf(&text, `{"specversion":"1.0","type":"train.position","source":"//ktz.kz/gps","id":"%d","time":"%s","subject":"KTZ:%d:2026-03-01","data":{"lat":44.%06d,"lon":80.26,"speed_kmh":41.5}}`+"\n",
			i, at.Format(time.RFC3339), i%50, i)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	log := newLog(b)
	for b.Loop() {
		if _, err := Files(b.Context(), NewWriter(log, prefix, partitions), Options{Paths: []string{path}, DataTime: true}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "events/s")
}
