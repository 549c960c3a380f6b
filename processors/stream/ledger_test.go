package stream_test

import (
	"context"
	"encoding/binary"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// ledger is a stage whose rows depend on its logic: it counts subjects, and tells subject+logic = count when a round closes. Its state
// falls into pieces, one a subject, and it knows what it has told.
type ledger struct {
	logic   string
	counts  map[string]uint64
	told    map[string]uint64 // by row
	changed map[string]bool   // subjects and rows
}

func newLedger(logic string) *ledger {
	return &ledger{logic: logic, counts: map[string]uint64{}, told: map[string]uint64{}, changed: map[string]bool{}}
}

func (l *ledger) Fold(in stream.In, _ *stream.Out) {
	s := in.Rec.GetEvent().GetSubject()
	l.counts[s]++
	l.changed["c"+s] = true
}

func (l *ledger) Advance(_ int64, out *stream.Out) {
	rows := map[string]uint64{}
	for s, n := range l.counts {
		rows[s+l.logic] = n
	}
	for _, row := range slices.Sorted(maps.Keys(rows)) {
		if old, ok := l.told[row]; !ok || old != rows[row] {
			out.Emit(schemas.TrainStatus, row, &pb.Record{Body: &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{Run: row, SeenAt: int64(rows[row])}}})
			l.told[row] = rows[row]
			l.changed["t"+row] = true
		}
	}
	for _, row := range slices.Sorted(maps.Keys(l.told)) {
		if _, ok := rows[row]; !ok {
			out.Emit(schemas.TrainStatus, row, &pb.Record{Deleted: true, Body: &pb.Record_TrainStatus{TrainStatus: &pb.TrainStatus{Run: row}}})
			delete(l.told, row)
			l.changed["t"+row] = true
		}
	}
}

func (l *ledger) Retell(rec *pb.Record) {
	if s := rec.GetTrainStatus(); s != nil {
		l.told[s.Run] = ^uint64(0)
		l.changed["t"+s.Run] = true
	}
}

// piece is the value of a subject ("c") or a row ("t").
func (l *ledger) piece(key string) []byte {
	m := l.counts
	if key[0] == 't' {
		m = l.told
	}
	if n, ok := m[key[1:]]; ok {
		return binary.AppendUvarint(nil, n)
	}
	return nil
}

func (l *ledger) Changed() ([]stream.Piece, error) {
	var out []stream.Piece
	for _, key := range slices.Sorted(maps.Keys(l.changed)) {
		out = append(out, stream.Piece{Key: key, Value: l.piece(key)})
	}
	l.changed = map[string]bool{}
	return out, nil
}

func (l *ledger) Apply(pieces []stream.Piece) error {
	for _, p := range pieces {
		m := l.counts
		if p.Key[0] == 't' {
			m = l.told
		}
		if p.Value == nil {
			delete(m, p.Key[1:])
			continue
		}
		m[p.Key[1:]], _ = binary.Uvarint(p.Value)
	}
	return nil
}

func (l *ledger) Snapshot() ([]byte, error) {
	l.changed = map[string]bool{}
	var lines []string
	for s := range l.counts {
		lines = append(lines, "c"+s+" "+strconv.FormatUint(l.counts[s], 10))
	}
	for row := range l.told {
		lines = append(lines, "t"+row+" "+strconv.FormatUint(l.told[row], 10))
	}
	slices.Sort(lines)
	return []byte(strings.Join(lines, "\n")), nil
}

func (l *ledger) Restore(state []byte) error {
	for line := range strings.Lines(string(state)) {
		key, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			return err
		}
		if err := l.Apply([]stream.Piece{{Key: key, Value: binary.AppendUvarint(nil, n)}}); err != nil {
			return err
		}
	}
	return nil
}

// ledgers are two stages as stages() gives them, the second a ledger; folds counts how many states were made.
func ledgers(logic string, folds *atomic.Int32) []stream.Stage {
	all := stages("v1")
	all[1].Logic = logic
	all[1].New = func() stream.Fold { folds.Add(1); return newLedger(logic) }
	return all
}

// alive are the rows of a table that nobody deleted.
func alive(recs []*pb.Record) map[string]int64 {
	last := map[string]*pb.Record{}
	for _, r := range recs {
		if s := r.GetTrainStatus(); s != nil {
			if old := last[s.Run]; old == nil || schemas.Version(r.Epoch, r.Seq) >= schemas.Version(old.Epoch, old.Seq) {
				last[s.Run] = r
			}
		}
	}
	rows := map[string]int64{}
	for run, r := range last {
		if !r.Deleted {
			rows[run] = r.GetTrainStatus().SeenAt
		}
	}
	return rows
}

// process is a running Run or RunGroup, with a client of its own.
type process struct {
	w      *world
	health *stream.Health
	folds  atomic.Int32
	cancel context.CancelFunc
	done   chan error
}

// launch starts the ledgers, alone or sharing. change may change the configuration.
func (w *world) launch(logic string, shared bool, change func(*stream.Config)) *process {
	p := &process{w: w, health: stream.NewHealth(), done: make(chan error, 1)}
	log := kafkalog.New(kafkalog.Config{Brokers: w.brokers})
	cfg := stream.Config{Log: log, Prefix: prefix, Partitions: partitions, Catalogue: "c", CheckpointEvery: 1, Health: p.health}
	if change != nil {
		change(&cfg)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	p.cancel = cancel
	run := stream.Run
	if shared {
		run = stream.RunGroup
	}
	go func() {
		defer log.Close()
		p.done <- run(ctx, cfg, ledgers(logic, &p.folds))
	}()
	return p
}

// end waits for the end; the error is that of the run.
func (p *process) end() error { p.cancel(); return <-p.done }

// stop ends the process in order.
func (p *process) stop() {
	p.w.t.Helper()
	if err := p.end(); err != nil {
		p.w.t.Fatal(err)
	}
}

// fails waits until the process ends by itself, with an error that says all of want.
func (p *process) fails(want ...string) {
	p.w.t.Helper()
	select {
	case err := <-p.done:
		for _, text := range want {
			if err == nil || !strings.Contains(err.Error(), text) {
				p.w.t.Errorf("ended with %v, want %q", err, text)
			}
		}
	case <-time.After(time.Minute):
		p.w.t.Fatal("the process goes on")
	}
}

// dieAt is a failpoint at which the task that comes there after `when` is true ends without doing anything more, as in a process that
// is killed.
func dieAt(name string, when *atomic.Bool) func(string) {
	return func(at string) {
		if at == name && when.Load() {
			runtime.Goexit()
		}
	}
}

// controls are the records of a checkpoint partition.
func (w *world) controls(stage pb.Stage, task int) []*pb.Control {
	w.t.Helper()
	var all []*pb.Control
	topic, partition := schemas.InKafka(prefix, schemas.Checkpoints), schemas.CheckpointPartition(stage, task, partitions)
	start, end, err := w.log.Offsets(w.t.Context(), topic, partition)
	if err != nil {
		w.t.Fatal(err)
	}
	r := w.log.Reader(topic, partition, start)
	for r.Offset() < end {
		b, err := r.Next(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		for _, raw := range b.Records {
			c := new(pb.Control)
			if err := proto.Unmarshal(raw.Value, c); err != nil {
				w.t.Fatal(err)
			}
			all = append(all, c)
		}
	}
	return all
}

func sameRows(t *testing.T, got, want map[string]int64) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// until looks again and again, for a minute at most.
func (w *world) until(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s: not yet", what)
		}
	}
}

// recreate deletes a topic with all it holds, and creates it again.
func (w *world) recreate(name string) {
	w.t.Helper()
	topic := schemas.InKafka(prefix, name)
	client := kafka.Client{Addr: kafka.TCP(w.brokers...), Timeout: 10 * time.Second}
	res, err := client.DeleteTopics(w.t.Context(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err == nil {
		err = res.Errors[topic]
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.createTopics()
}
