package kafkalog_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"corridorwatch/internal/kafkalog"
)

// oracle is another client, franz-go's.
func oracle(t testing.TB, c cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// oracleRead reads n records of one partition with the other client.
func oracleRead(t testing.TB, c cluster, topic string, n int) (got []record) {
	t.Helper()
	k := oracle(t, c, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		topic: {0: kgo.NewOffset().AtStart()},
	}))
	ctx := within(t, 20*time.Second)
	for len(got) < n {
		f := k.PollFetches(ctx)
		if err := f.Err(); err != nil {
			t.Fatalf("after %d of %d records: %v", len(got), n, err)
		}
		f.EachRecord(func(r *kgo.Record) {
			k := record{offset: r.Offset, key: string(r.Key), value: string(r.Value)}
			for _, h := range r.Headers {
				k.headers += fmt.Sprintf("%s=%s;", h.Key, h.Value)
			}
			got = append(got, k)
		})
	}
	return got
}

// sameAsOracle reads topic/0 with both clients and compares.
func sameAsOracle(t *testing.T, c cluster, topic string) []record {
	t.Helper()
	k := client(t, c)
	start, end, err := k.Offsets(within(t, 10*time.Second), topic, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := readTo(t, k, topic, 0, start, end)
	want := oracleRead(t, c, topic, len(got))
	if !slices.Equal(got, want) {
		t.Errorf("%s: %d records, the other client reads %d, or they differ", topic, len(got), len(want))
	}
	return got
}

// text is a value of random length that compresses somewhat.
func text(rnd *rand.Rand) []byte {
	b := make([]byte, rnd.IntN(600))
	for i := range b {
		b[i] = "khorgos altynkol "[rnd.IntN(17)]
	}
	return b
}

func testOracleReadsWhatAppenderWrote(t *testing.T, c cluster) {
	k := client(t, c)
	for _, codec := range []kafkalog.Compression{kafkalog.None, kafkalog.Gzip, kafkalog.Snappy, kafkalog.Lz4, kafkalog.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			topic := unique()
			create(t, k, topic, 1)
			rnd := rand.New(rand.NewPCG(1, uint64(codec)))
			a := k.Appender(topic, 0)
			a.Compression, a.MaxBatchBytes = codec, 10_000
			var want []record
			for i := range int64(500) {
				key, value := fmt.Append(nil, "key", rnd.IntN(100)), text(rnd)
				h := kafkalog.Header{Key: fmt.Sprint("h", rnd.IntN(3)), Value: text(rnd)}
				a.Append(key, value, h)
				want = append(want, record{i, string(key), string(value), fmt.Sprintf("%s=%s;", h.Key, h.Value)})
			}
			flush(t, a)
			if got := sameAsOracle(t, c, topic); !slices.Equal(got, want) {
				t.Errorf("read back %d records that differ from the %d written", len(got), len(want))
			}
		})
	}
}

func testReaderReadsWhatOracleWrote(t *testing.T, c cluster) {
	k := client(t, c)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for name, codec := range codecs {
		t.Run(name, func(t *testing.T) {
			topic := unique()
			create(t, k, topic, 1)
			p := oracle(t, c, kgo.ProducerBatchCompression(codec), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchMaxBytes(20_000))
			rnd := rand.New(rand.NewPCG(2, 3))
			var rs []*kgo.Record
			for i := range 500 {
				rs = append(rs, &kgo.Record{Key: fmt.Append(nil, i), Value: text(rnd), Headers: []kgo.RecordHeader{{Key: "h", Value: text(rnd)}}})
			}
			if err := p.ProduceSync(within(t, 10*time.Second), rs...).FirstErr(); err != nil {
				t.Fatal(err)
			}
			if got := sameAsOracle(t, c, topic); len(got) != 500 {
				t.Errorf("read %d records, want 500", len(got))
			}
		})
	}
}

// A log with committed, aborted and open transactions between plain records: the reader sees what a committed reader should, and
// arrives at the end though the last offsets are control batches.
func testTransactions(t *testing.T, c cluster) {
	topic := unique()
	create(t, client(t, c), topic, 1)
	plain := oracle(t, c, kgo.DefaultProduceTopic(topic))
	ctx := within(t, 20*time.Second)
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		p := oracle(t, c, kgo.DefaultProduceTopic(topic), kgo.TransactionalID(fmt.Sprint("tx", i%2)))
		if err := p.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		for j := range 3 {
			produce(ctx, t, p, fmt.Sprintf("tx %d record %d %v", i, j, end))
			produce(ctx, t, plain, fmt.Sprintf("plain beside tx %d", i))
		}
		if err := p.EndTransaction(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	got := sameAsOracle(t, c, topic)
	if want := 5*3 + 2*3; len(got) != want {
		t.Errorf("read %d records, want %d", len(got), want)
	}
	for _, r := range got {
		if r.value[:2] == "tx" && r.value[len(r.value)-4:] == "false" {
			t.Errorf("saw aborted record %q", r.value)
		}
	}
}

func produce(ctx context.Context, t testing.TB, p *kgo.Client, value string) {
	t.Helper()
	if err := p.ProduceSync(ctx, kgo.StringRecord(value)).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func TestCompactedTopic(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	spec := kafkalog.TopicSpec{Name: "t", Partitions: 1, Replication: 1, Configs: map[string]string{"cleanup.policy": "compact"}}
	if err := k.CreateTopics(within(t, 10*time.Second), []kafkalog.TopicSpec{spec}); err != nil {
		t.Fatal(err)
	}
	a := k.Appender("t", 0)
	for i := range 200 {
		a.Append(fmt.Append(nil, "key", i%7), fmt.Append(nil, i))
		if i%10 == 9 {
			flush(t, a)
		}
	}
	c.Compact()
	got := sameAsOracle(t, c, "t")
	if len(got) >= 200 || len(got) < 7 {
		t.Errorf("%d records left of 200: not compacted", len(got))
	}
	if from := got[len(got)/2].offset - 1; from > 0 { // begin inside a gap
		if rest := readTo(t, k, "t", 0, from, 200); rest[0].offset < from || rest[len(rest)-1].offset != 199 {
			t.Errorf("from %d: %+v", from, rest)
		}
	}
}
