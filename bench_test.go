package corridorwatch_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
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

// cpuTime is what this process has used, the broker's not counted.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
