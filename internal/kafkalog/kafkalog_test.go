package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/kafkalog"
)

// broker starts an in-process broker that speaks Kafka over TCP.
func broker(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// client connects to the broker.
func client(t testing.TB, c cluster) *kafkalog.Client {
	t.Helper()
	k := kafkalog.New(kafkalog.Config{Brokers: c.ListenAddrs(), ClientID: "test", Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() { k.Close() })
	return k
}

// within bounds a test in time.
func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func create(t testing.TB, k *kafkalog.Client, topic string, partitions int) {
	t.Helper()
	err := k.CreateTopics(within(t, time.Minute), []kafkalog.TopicSpec{{Name: topic, Partitions: partitions}})
	if err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, a *kafkalog.Appender) int64 {
	t.Helper()
	first, err := a.Flush(within(t, 20*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	return first
}

// record is a kafkalog.Record by value.
type record struct {
	offset     int64
	key, value string
	headers    string
}

func keep(r kafkalog.Record) record {
	k := record{offset: r.Offset, key: string(r.Key), value: string(r.Value)}
	for _, h := range r.Headers {
		k.headers += fmt.Sprintf("%s=%s;", h.Key, h.Value)
	}
	return k
}

// readTo reads from an offset until Next arrives at end.
func readTo(t testing.TB, k *kafkalog.Client, topic string, partition int, from, end int64) (got []record) {
	t.Helper()
	ctx := within(t, 20*time.Second)
	r := k.Reader(topic, partition, from)
	for r.Offset() < end {
		b, err := r.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range b.Records {
			got = append(got, keep(rec))
		}
	}
	return got
}

func testAppendAndRead(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 2)
	a := k.Appender(topic, 1)
	if first := flush(t, a); first != -1 {
		t.Errorf("empty flush: offset %d, want -1", first)
	}
	a.Append([]byte("k0"), []byte("v0"), kafkalog.Header{Key: "type", Value: []byte("x")})
	a.Append(nil, []byte{})
	if first := flush(t, a); first != 0 || a.Buffered() != 0 {
		t.Errorf("first flush: offset %d, %d bytes left, want 0, 0", first, a.Buffered())
	}
	a.Append([]byte("k2"), nil)
	if first := flush(t, a); first != 2 {
		t.Errorf("second flush: offset %d, want 2", first)
	}
	r := k.Reader(topic, 1, 0)
	b, err := r.Next(within(t, 5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Records) != 3 || b.Next != 3 || r.Offset() != 3 || b.HighWatermark != 3 || b.LogStart != 0 || b.LastBatchOffset != 2 {
		t.Fatalf("batch %+v", b)
	}
	if r := b.Records[1]; r.Key != nil || r.Value == nil || len(r.Value) != 0 {
		t.Errorf("null key and empty value came back as %#v, %#v", r.Key, r.Value)
	}
	if r := b.Records[2]; r.Value != nil || string(r.Key) != "k2" {
		t.Errorf("null value came back as %#v", r.Value)
	}
	if got := keep(b.Records[0]); got != (record{0, "k0", "v0", "type=x;"}) {
		t.Errorf("got %+v", got)
	}
	if age := time.Since(time.UnixMilli(b.Records[0].TimeMS)); age < 0 || age > time.Minute {
		t.Errorf("record is %s old", age)
	}
	if b, err = r.Next(within(t, 5*time.Second)); err != nil || len(b.Records) != 0 || b.Next != 3 || b.LastBatchOffset != -1 {
		t.Errorf("at the end: %+v, %v", b, err)
	}
}

func testReadFromTheMiddleOfABatch(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	a := k.Appender(topic, 0)
	for i := range 10 {
		a.Append(nil, fmt.Append(nil, i))
	}
	flush(t, a)
	got := readTo(t, k, topic, 0, 7, 10)
	if len(got) != 3 || got[0].offset != 7 || got[0].value != "7" {
		t.Errorf("got %+v", got)
	}
}

func testBatchesAreCutAndALargeRecordGoesAlone(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	a := k.Appender(topic, 0)
	a.MaxBatchBytes = 1000
	sizes := []int{300, 300, 300, 5000, 10, 960, 1}
	for _, n := range sizes {
		a.Append(nil, []byte(strings.Repeat("x", n)))
	}
	flush(t, a)
	var batches []int64
	ctx := within(t, 10*time.Second)
	r := k.Reader(topic, 0, 0)
	r.MaxBytes = 1 // one batch an answer
	for r.Offset() < int64(len(sizes)) {
		b, err := r.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		batches = append(batches, b.LastBatchOffset)
		for _, rec := range b.Records {
			if len(rec.Value) != sizes[rec.Offset] {
				t.Errorf("record %d has %d bytes, want %d", rec.Offset, len(rec.Value), sizes[rec.Offset])
			}
		}
	}
	if got, want := fmt.Sprint(batches), "[0 3 4 5 6]"; got != want {
		t.Errorf("batches begin at %s, want %s", got, want)
	}
}

func testCreateTopics(t *testing.T, c cluster) {
	k := client(t, c)
	first, second, third := unique(), unique(), unique()
	ctx := within(t, 10*time.Second)
	spec := []kafkalog.TopicSpec{{Name: first, Partitions: 3, Replication: 1, Configs: map[string]string{"retention.ms": "-1"}}, {Name: second, Partitions: 1}}
	for range 2 {
		if err := k.CreateTopics(ctx, spec); err != nil {
			t.Fatal(err)
		}
	}
	topics, err := k.Topics(ctx)
	if err != nil || topics[first] != 3 || topics[second] != 1 {
		t.Errorf("topics %v, %v", topics, err)
	}
	err = k.CreateTopics(ctx, []kafkalog.TopicSpec{{Name: first, Partitions: 4}, {Name: third, Partitions: 1}})
	if err == nil || !strings.Contains(err.Error(), "topic "+first+" has 3 partitions, not 4") {
		t.Errorf("other number of partitions: %v", err)
	}
	if topics, _ = k.Topics(ctx); topics[third] != 0 {
		t.Errorf("created something beside an error: %v", topics)
	}
	err = k.CreateTopics(ctx, []kafkalog.TopicSpec{{Name: third, Partitions: 1, Replication: 5}})
	if !errors.Is(err, kafka.InvalidReplicationFactor) || !errors.As(err, new(*kafkalog.BrokerError)) {
		t.Errorf("too many replicas: %v", err)
	}
}

func testOffsetsAndDeleteRecords(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	a := k.Appender(topic, 0)
	for range 5 {
		a.Append(nil, []byte("v"))
		flush(t, a)
	}
	ctx := within(t, 10*time.Second)
	if err := k.DeleteRecords(ctx, topic, 0, 3); err != nil {
		t.Fatal(err)
	}
	if start, end, err := k.Offsets(ctx, topic, 0); start != 3 || end != 5 || err != nil {
		t.Errorf("offsets [%d, %d), %v", start, end, err)
	}
	for _, offset := range []int64{1, 6} {
		_, err := k.Reader(topic, 0, offset).Next(ctx)
		var out *kafkalog.RangeError
		if !errors.As(err, &out) || *out != (kafkalog.RangeError{Topic: topic, Offset: offset, Start: 3, End: 5}) {
			t.Errorf("read at %d: %v", offset, err)
		}
	}
	if b, err := k.Reader(topic, 0, 1).NextKept(ctx); err != nil || b.Records[0].Offset != 3 {
		t.Errorf("the first that is kept: %+v, %v", b, err)
	}
	if _, err := k.Reader(topic, 0, 6).NextKept(ctx); !errors.As(err, new(*kafkalog.RangeError)) {
		t.Errorf("kept behind the end: %v", err)
	}
	if err := k.DeleteRecords(ctx, topic, 0, 2); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	for _, before := range []int64{9, -1} {
		if err := k.DeleteRecords(ctx, topic, 0, before); err == nil {
			t.Errorf("deleting below %d succeeded", before)
		}
	}
}

func testBatchCRC(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	a := k.Appender(topic, 0)
	for i := range 3 {
		a.Append(nil, fmt.Append(nil, "value", i))
		a.Append(nil, nil)
		flush(t, a)
	}
	ctx := within(t, 10*time.Second)
	b, err := k.Reader(topic, 0, 0).Next(ctx)
	if err != nil || b.LastBatchOffset != 4 {
		t.Fatalf("batch %+v, %v", b, err)
	}
	for _, offset := range []int64{4, 5} {
		if sum, err := k.BatchCRC(ctx, topic, 0, offset); sum != b.LastBatchCRC || err != nil {
			t.Errorf("batch at %d: %08x, %v, want %08x", offset, sum, err, b.LastBatchCRC)
		}
	}
	if sum, err := k.BatchCRC(ctx, topic, 0, 0); sum == b.LastBatchCRC || err != nil {
		t.Errorf("first batch: %08x, %v", sum, err)
	}
	if _, err := k.BatchCRC(ctx, topic, 0, 6); !errors.As(err, new(*kafkalog.RangeError)) {
		t.Errorf("beyond the end: %v", err)
	}
}

func TestOutbox(t *testing.T) {
	k := client(t, broker(t, kfake.NumBrokers(3)))
	create(t, k, "a", 5)
	create(t, k, "b", 4)
	o := k.Outbox()
	o.MaxBatchBytes = 2000
	const n = 500
	for i := range n {
		o.Append("a", i%5, fmt.Append(nil, i), []byte("to a"))
		o.Append("b", i%4, fmt.Append(nil, i), []byte("to b"))
	}
	if err := o.Flush(within(t, 20*time.Second)); err != nil || o.Buffered() != 0 {
		t.Fatalf("%v, %d bytes left", err, o.Buffered())
	}
	for topic, partitions := range map[string]int{"a": 5, "b": 4} {
		for p := range partitions {
			got := readTo(t, k, topic, p, 0, int64(n/partitions))
			for i, r := range got {
				if r.key != fmt.Sprint(i*partitions+p) {
					t.Fatalf("%s/%d: record %d has key %s", topic, p, i, r.key)
				}
			}
		}
	}
}

func TestPing(t *testing.T) {
	c := broker(t)
	ctx := within(t, 10*time.Second)
	if err := client(t, c).Ping(ctx); err != nil {
		t.Error(err)
	}
	nobody := kafkalog.New(kafkalog.Config{Brokers: []string{"127.0.0.1:1"}})
	defer nobody.Close()
	if err := nobody.Ping(ctx); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("nobody there: %v", err)
	}
}

func TestClosed(t *testing.T) {
	k := client(t, broker(t))
	create(t, k, "t", 1)
	k.Close()
	if _, err := k.Reader("t", 0, 0).Next(within(t, 5*time.Second)); err == nil {
		t.Error("read after close succeeded")
	}
}

func testUnknownTopic(t *testing.T, c cluster) {
	k := client(t, c)
	_, err := k.Reader("nowhere", 0, 0).Next(within(t, 20*time.Second))
	if !errors.Is(err, kafka.UnknownTopicOrPartition) || !strings.Contains(err.Error(), "create the topic") {
		t.Errorf("reader: %v", err)
	}
}
