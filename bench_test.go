package corridorwatch_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"google.golang.org/protobuf/proto"

	"corridorwatch/ingest"
	"corridorwatch/ingest/simulator"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

const (
	brokerEnv       = "CORRIDORWATCH_TEST_BROKER"
	benchPartitions = 4
)

// TestBrokerProcess is no test: it is the broker of the benchmarks, in a process of its own so that its CPU time is not counted.
// It ends with its standard input.
func TestBrokerProcess(t *testing.T) {
	if os.Getenv(brokerEnv) == "" {
		t.Skip("only run by the benchmarks, as their broker")
	}
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DataDir(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Println("broker at", c.ListenAddrs()[0])
	io.Copy(io.Discard, os.Stdin)
}

// benchLog starts that broker and connects to it.
func benchLog(b *testing.B) *kafkalog.Client {
	cmd := exec.Command(os.Args[0], "-test.run=^TestBrokerProcess$", "-test.v")
	cmd.Env = append(os.Environ(), brokerEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, addr, ok := strings.Cut(lines.Text(), "broker at "); ok {
			go io.Copy(io.Discard, out) // ends with the process
			log := kafkalog.New(kafkalog.Config{Brokers: []string{addr}})
			b.Cleanup(func() { log.Close() })
			return log
		}
	}
	b.Fatal("the broker process did not start")
	return nil
}

// bench is an installation on the broker.
type bench struct {
	*testing.B
	log        *kafkalog.Client
	prefix     string
	partitions int
	sent       map[pb.Stage]uint64 // number of the last record written as a task of that stage
}

func newBench(b *testing.B, log *kafkalog.Client, prefix string, partitions int) *bench {
	if err := log.CreateTopics(b.Context(), installation.Specs(prefix, partitions, 1)); err != nil {
		b.Fatal(err)
	}
	return &bench{b, log, prefix, partitions, map[pb.Stage]uint64{}}
}

func (b *bench) topic(name string) string { return schemas.InKafka(b.prefix, name) }

// aFold and wholeFold are a stage's fold, and that of a stage with state, under names that can be embedded.
type (
	aFold     interface{ stream.Fold }
	wholeFold interface {
		stream.Pieces
		stream.Reteller
	}
)

// observed and observedWhole are folds that tell how far stage time has come.
type (
	observed struct {
		aFold
		advanced func(now int64)
	}
	observedWhole struct {
		wholeFold
		advanced func(now int64)
	}
)

func (o observed) Advance(now int64, out *stream.Out) { o.aFold.Advance(now, out); o.advanced(now) }

func (o observedWhole) Advance(now int64, out *stream.Out) {
	o.wholeFold.Advance(now, out)
	o.advanced(now)
}

func observe(f stream.Fold, advanced func(now int64)) stream.Fold {
	if whole, ok := f.(wholeFold); ok {
		return observedWhole{whole, advanced}
	}
	return observed{f, advanced}
}

// run runs a stage until all of its tasks have come to a stage time, and stops it in order.
func (b *bench) run(stage stream.Stage, every time.Duration, until int64) {
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var behind atomic.Int32
	behind.Store(int32(b.partitions))
	fresh := stage.New
	stage.New = func() stream.Fold {
		there := false
		return observe(fresh(), func(now int64) {
			if now >= until && !there {
				if there = true; behind.Add(-1) == 0 {
					stop()
				}
			}
		})
	}
	cfg := stream.Config{Log: b.log, Prefix: b.prefix, Partitions: b.partitions, Catalogue: "c", CheckpointEvery: every,
		Logger: slog.New(slog.DiscardHandler)}
	if err := stream.Run(ctx, cfg, []stream.Stage{stage}); err != nil {
		b.Fatal(err)
	}
}

// logged is what lies in a topic, a slice a partition.
type logged [][]kafkalog.Record

func (b *bench) read(topic string) logged {
	all := make(logged, b.partitions)
	for p := range all {
		_, end, err := b.log.Offsets(b.Context(), b.topic(topic), p)
		if err != nil {
			b.Fatal(err)
		}
		r := b.log.Reader(b.topic(topic), p, 0)
		for r.Offset() < end {
			batch, err := r.Next(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for _, rec := range batch.Records {
				all[p] = append(all[p], kafkalog.Record{Key: bytes.Clone(rec.Key), Value: bytes.Clone(rec.Value)})
			}
		}
	}
	return all
}

func (b *bench) write(topic string, all logged) {
	for p := range all {
		a := b.log.Appender(b.topic(topic), p)
		for i, rec := range all[p] {
			if a.Append(rec.Key, rec.Value); i%10_000 == 9_999 || i == len(all[p])-1 {
				if _, err := a.Flush(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// trainEvents sends a world through intake and returns what intake made of it, and the last tick.
func trainEvents(b *testing.B, log *kafkalog.Client, cat *network.Catalog) (all logged, last int64) {
	world, err := simulator.New(simulator.Config{Catalog: cat, Corridors: []string{"khorgos-aktau", "middle-btk"}, Seed: 1,
		Start: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Duration: 12 * time.Hour, TrainsPerDay: 6, NoiseM: 10, Containers: true})
	if err != nil {
		b.Fatal(err)
	}
	in := newBench(b, log, "world", benchPartitions)
	w := ingest.NewWriter(log, in.prefix, benchPartitions)
	for ev, ok := world.Next(); ok; ev, ok = world.Next() {
		if minute := ev.Time / 60_000 * 60_000; minute > last {
			last = minute
			w.Tick(last)
		}
		w.Event(ev)
		if err := w.FlushIfFull(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	in.run(intake.Stage(cat, intake.Config{}), time.Hour, last)
	return in.read(schemas.TrainEvents), last
}

// BenchmarkVisits runs the dwell stage, from train-events in the log to acknowledged visits, over a simulated world, by how often
// it checkpoints. One core is a second of this process's CPU time; the broker is another process.
func BenchmarkVisits(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	log := benchLog(b)
	world, last := trainEvents(b, log, cat)
	events := 0
	for p := range world {
		events += len(world[p])
	}
	n := 0
	for _, every := range []time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second, time.Hour} {
		name := fmt.Sprint("checkpoints=", every)
		if every == time.Hour {
			name = "checkpoints=none"
		}
		b.Run(name, func(b *testing.B) {
			var took, cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				n++
				in := newBench(b, log, fmt.Sprint("visits", n), benchPartitions)
				in.write(schemas.TrainEvents, world)
				began, used := time.Now(), cpuTime()
				b.StartTimer()
				in.run(dwell.Stage(cat), every, last)
				took, cpu = took+time.Since(began), cpu+cpuTime()-used
			}
			b.ReportMetric(float64(b.N*events)/took.Seconds(), "events/s")
			b.ReportMetric(float64(b.N*events)/cpu.Seconds(), "events/s/core")
		})
	}
}

var keys = flag.Int("keys", 1_000_000, "of the state that BenchmarkRestore restores")

// BenchmarkRestore takes up a task whose state is of a million keys, each with little: from a whole checkpoint, and the changes of a
// tenth of them, in the log, to the first record folded.
func BenchmarkRestore(b *testing.B) {
	cat, err := network.Embedded()
	if err != nil {
		b.Fatal(err)
	}
	log := benchLog(b)
	b.Run("dwell", func(b *testing.B) {
		benchRestore(newBench(b, log, "runs", 1), dwell.Stage(cat), reports)
	})
	b.Run("border", func(b *testing.B) {
		benchRestore(newBench(b, log, "units", 1), border.Stage(cat), rides)
	})
}

// benchRestore lets a task write that state and restores it. What makes the records that the first so many keys get at a time.
func benchRestore(b *bench, stage stream.Stage, what func(at int64, keys int) []*pb.Record) {
	from := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	grown := stage
	grown.New = func() stream.Fold { // as if it had folded them
		f, quiet := stage.New(), stream.NewOut(func(string, string, *pb.Record) {}, nil)
		for _, rec := range what(from, *keys) {
			f.Fold(stream.In{Rec: rec}, quiet)
		}
		f.Advance(from, quiet)
		return observe(f, func(now int64) {
			if now == from+1 {
				go b.send(stage, from+2, what(from+2, *keys/10)) // behind the checkpoint that is due now
			}
		})
	}
	b.send(stage, from+1, nil)
	b.run(grown, time.Millisecond, from+2)
	var took, cpu time.Duration
	for b.Loop() {
		b.StopTimer()
		from++
		b.send(stage, from+2, nil)
		runtime.GC()
		began, used := time.Now(), cpuTime()
		again := stage
		again.New = func() stream.Fold {
			return observe(stage.New(), func(int64) { took, cpu = took+time.Since(began), cpu+cpuTime()-used })
		}
		b.StartTimer()
		b.run(again, time.Hour, from+2)
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/restore")
	b.ReportMetric(cpu.Seconds()/float64(b.N), "cpu-s/restore")
}

// send writes records to the input of a stage as the first stage above it, and then the marks of all of them.
func (b *bench) send(stage stream.Stage, now int64, records []*pb.Record) {
	a := b.log.Appender(b.topic(stage.Input), 0)
	put := func(from pb.Stage, rec *pb.Record) {
		b.sent[from]++
		rec.Stage, rec.Epoch, rec.Seq = from, 1, b.sent[from]
		value, err := proto.Marshal(rec)
		if err != nil {
			b.Error(err)
		}
		a.Append(nil, value)
	}
	for _, rec := range records {
		put(stage.Upstreams[0], rec)
	}
	for _, from := range stage.Upstreams {
		put(from, &pb.Record{Body: &pb.Record_Mark{Mark: now}})
	}
	if _, err := a.Flush(b.Context()); err != nil {
		b.Error(err)
	}
}

// reports are an arrival and a position of each of a number of runs.
func reports(at int64, runs int) (all []*pb.Record) {
	for i := range runs {
		run := fmt.Sprintf("KTZ:%d:2026-03-01", i)
		arrived := &pb.Event{Verb: pb.Verb_ARRIVED, Place: "kz-altynkol", Data: &pb.Event_Movement{Movement: &pb.Movement{}}}
		position := &pb.Event{Verb: pb.Verb_POSITION, Data: &pb.Event_Position{Position: &pb.Position{LatE7: 441712000, LonE7: 802601000}}}
		for k, ev := range []*pb.Event{arrived, position} {
			ev.Source, ev.Id, ev.Subject, ev.UnitKind, ev.Time = "s", fmt.Sprint(run, k, at), run, pb.UnitKind_TRAIN, at
			ev.Hash = schemas.Hash(ev)
			all = append(all, &pb.Record{Body: &pb.Record_Event{Event: ev}})
		}
	}
	return all
}

// rides are visits of a train as they concern each of a number of containers.
func rides(at int64, containers int) (all []*pb.Record) {
	m := &pb.Moment{At: at, Basis: pb.Basis_REPORT, Earliest: at, Latest: at}
	for i := range containers {
		for _, place := range []string{"kz-altynkol", "kz-almaty-1"} {
			all = append(all, &pb.Record{Body: &pb.Record_Ride{Ride: &pb.Ride{
				Unit: fmt.Sprintf("MSCU%07d", i), UnitKind: pb.UnitKind_CONTAINER, Run: "KTZ:1:2026-03-01", RunKind: pb.UnitKind_TRAIN, OnFrom: at,
				Visit: &pb.Visit{Unit: "KTZ:1:2026-03-01", Place: place, N: 1, Stopped: true, Arrived: m, Departed: m, Entered: m, Left: m},
			}}})
		}
	}
	return all
}

// cpuTime is what this process has used, the broker's not counted.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
