package kafkalog_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/kafkatest"
)

const brokerEnv = "KAFKALOG_TEST_BROKER"

// TestBrokerProcess is no test: it is the broker of the benchmarks, in a process of its own so that its CPU time is not counted.
// It ends with its standard input.
func TestBrokerProcess(t *testing.T) {
	if os.Getenv(brokerEnv) == "" {
		t.Skip("only run by the benchmarks, as their broker")
	}
	c := broker(t, kfake.DataDir(t.TempDir()), kfake.SeedTopics(benchPartitions, "ours", "theirs"))
	fmt.Println("broker at", c.ListenAddrs()[0])
	io.Copy(io.Discard, os.Stdin)
}

// brokerProcess starts it.
func brokerProcess(b testing.TB) (addr string) {
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
			return addr
		}
	}
	b.Fatal("the broker process did not start")
	return ""
}

const (
	benchPartitions = 8
	benchFlush      = 10_000 // records between flushes
)

// cpu is the CPU time of this process, user and system.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure runs do b.N times, which moves so many messages, and reports messages per second and per CPU second of the client.
func measure(b *testing.B, messages int, do func()) (perCPU float64) {
	start := cpu()
	b.ResetTimer()
	for range b.N {
		do()
	}
	b.StopTimer()
	n := float64(b.N * messages)
	perCPU = n / (cpu() - start).Seconds()
	b.ReportMetric(n/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(perCPU, "msg/cpu-s")
	return perCPU
}

// benchMessages are written and read at a time.
const benchMessages = 1_000_000

// BenchmarkThroughput writes and reads records of 200 bytes with an 8-byte key in 8 partitions, through this package and through
// kafka-go's Writer and Reader; x-per-cpu is how many times theirs this package moves in a CPU second of the client. Both readers read
// what the Writer wrote.
func BenchmarkThroughput(b *testing.B) {
	b.Run("embedded", func(b *testing.B) { throughput(b, brokerProcess(b)) })
	b.Run("Apache Kafka", func(b *testing.B) {
		addr := kafkatest.Start(b, 1).Brokers[0]
		k := kafkalog.New(kafkalog.Config{Brokers: []string{addr}})
		defer k.Close()
		create(b, k, "ours", benchPartitions)
		create(b, k, "theirs", benchPartitions)
		throughput(b, addr)
	})
}

func throughput(b *testing.B, addr string) {
	rate := map[string]float64{}
	run := func(name, beside string, do func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			rate[name] = measure(b, benchMessages, func() { do(b) })
			if beside != "" {
				b.ReportMetric(rate[name]/rate[beside], "x-per-cpu")
			}
		})
	}
	k := kafkalog.New(kafkalog.Config{Brokers: []string{addr}})
	defer k.Close()
	run("write=kafka.Writer", "", func(b *testing.B) { writeTheirs(b, addr) })
	run("write=Outbox", "write=kafka.Writer", func(b *testing.B) { writeOurs(b, k) })
	run("read=kafka.Reader", "", func(b *testing.B) { readAll(func(p, n int) { readTheirs(b, addr, p, n) }) })
	run("read=Reader", "read=kafka.Reader", func(b *testing.B) { readAll(func(p, n int) { readOurs(b, k, p, n) }) })
}

func writeOurs(b *testing.B, k *kafkalog.Client) {
	o, key, value := k.Outbox(), make([]byte, 8), make([]byte, 200)
	for i := range benchMessages {
		o.Append("ours", i%benchPartitions, key, value)
		if i%benchFlush == benchFlush-1 {
			if err := o.Flush(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func writeTheirs(b *testing.B, addr string) {
	w := &kafka.Writer{
		Addr: kafka.TCP(addr), Topic: "theirs", RequiredAcks: kafka.RequireAll, BatchSize: benchFlush / benchPartitions,
		BatchTimeout: time.Millisecond, Balancer: &kafka.RoundRobin{},
	}
	defer w.Close()
	key, value, batch := make([]byte, 8), make([]byte, 200), []kafka.Message(nil)
	for i := range benchMessages {
		batch = append(batch, kafka.Message{Key: key, Value: value})
		if i%benchFlush == benchFlush-1 {
			if err := w.WriteMessages(context.Background(), batch...); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}

// readAll reads benchMessages, each partition from a goroutine.
func readAll(read func(partition, n int)) {
	var wg sync.WaitGroup
	for p := range benchPartitions {
		wg.Go(func() { read(p, benchMessages/benchPartitions) })
	}
	wg.Wait()
}

func readOurs(b *testing.B, k *kafkalog.Client, partition, n int) {
	size := 0
	for r := k.Reader("theirs", partition, 0); n > 0; {
		batch, err := r.Next(context.Background())
		if err != nil {
			b.Error(err)
			return
		}
		for _, rec := range batch.Records {
			size += len(rec.Key) + len(rec.Value)
		}
		n -= len(batch.Records)
	}
}

func readTheirs(b *testing.B, addr string, partition, n int) {
	r := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{addr}, Topic: "theirs", Partition: partition, MaxBytes: 4 << 20, QueueCapacity: 10_000,
		MaxWait: 100 * time.Millisecond, // it waits this long before it closes
	})
	defer r.Close()
	size := 0
	for range n {
		m, err := r.ReadMessage(context.Background())
		if err != nil {
			b.Error(err)
			return
		}
		size += len(m.Key) + len(m.Value)
	}
}

// BenchmarkRoundTrip appends one record and waits for its acknowledgement.
func BenchmarkRoundTrip(b *testing.B) {
	addr := brokerProcess(b)
	k := kafkalog.New(kafkalog.Config{Brokers: []string{addr}})
	defer k.Close()
	a := k.Appender("ours", 0)
	measure(b, 1, func() {
		a.Append(nil, []byte("one"))
		if _, err := a.Flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	})
}

// BenchmarkIdle keeps 60 readers waiting at the end of their partitions, b.N seconds, and reports the share of one core that this
// takes: for the client alone, and with the broker in the same process.
func BenchmarkIdle(b *testing.B) {
	b.Run("client", func(b *testing.B) { idle(b, brokerProcess(b)) })
	b.Run("client+broker", func(b *testing.B) {
		idle(b, broker(b, kfake.SeedTopics(benchPartitions, "ours", "theirs")).ListenAddrs()[0])
	})
}

func idle(b *testing.B, addr string) {
	k := kafkalog.New(kafkalog.Config{Brokers: []string{addr}})
	defer k.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(b.N)*time.Second)
	defer cancel()
	start := cpu()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			r := k.Reader([]string{"ours", "theirs"}[i%2], i%benchPartitions, 0)
			for ctx.Err() == nil {
				if _, err := r.Next(ctx); err != nil && ctx.Err() == nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(100*(cpu()-start).Seconds()/float64(b.N), "%core")
}
