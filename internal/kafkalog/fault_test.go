package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"corridorwatch/internal/kafkalog"
)

// numbered reads from 0 to the end of t/0 and returns the values.
func numbered(t testing.TB, k *kafkalog.Client) string {
	t.Helper()
	_, end, err := k.Offsets(within(t, 10*time.Second), "t", 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, r := range readTo(t, k, "t", 0, 0, end) {
		values = append(values, r.value)
	}
	return strings.Join(values, " ")
}

// Errors that pass: both directions go on as if nothing had been.
func TestErrorsThatPass(t *testing.T) {
	for _, e := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.NotEnoughReplicas, kerr.KafkaStorageError, kerr.FencedLeaderEpoch,
		kerr.UnknownServerError, kerr.UnknownTopicOrPartition,
	} {
		t.Run(e.Message, func(t *testing.T) {
			c := broker(t)
			k := client(t, c)
			create(t, k, "t", 1)
			h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets}, Topic: "t", Err: e, Count: 3})
			a := k.Appender("t", 0)
			a.Append(nil, []byte("a"))
			if first := flush(t, a); first != 0 {
				t.Errorf("appended at %d, want 0", first)
			}
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Err: e, Count: 2})
			if got := numbered(t, k); got != "a" || h.Hits() != 3 {
				t.Errorf("read %q after %d faults", got, h.Hits())
			}
		})
	}
}

// A timeout whose work was done cannot be told from one whose work was not: the batch is sent again and lies in the log twice, in
// order. What reads it tells repetitions by the sequence numbers in the records.
func TestTimeoutWhoseWorkWasDone(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 1)
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.RequestTimedOut})
	a := k.Appender("t", 0)
	for _, v := range []string{"1", "2"} {
		a.Append(nil, []byte(v))
	}
	if first := flush(t, a); first != 2 {
		t.Errorf("acknowledged at %d, want 2, where the repetition lies", first)
	}
	a.Append(nil, []byte("3"))
	flush(t, a)
	if got, want := numbered(t, k), "1 2 1 2 3"; got != want {
		t.Errorf("log holds %q, want %q", got, want)
	}
}

func TestFatalErrorsSayWhatToDo(t *testing.T) {
	for e, want := range map[*kerr.Error]string{
		kerr.TopicAuthorizationFailed: "grant",
		kerr.MessageTooLarge:          "max.message.bytes",
		kerr.InvalidRecord:            "key",
		kerr.RecordListTooLarge:       "max.message.bytes",
	} {
		c := broker(t)
		k := client(t, c)
		create(t, k, "t", 1)
		h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce, kmsg.Fetch}, Topic: "t", Err: e, Count: -1})
		a := k.Appender("t", 0)
		a.Append(nil, []byte("a"))
		_, err := a.Flush(within(t, 10*time.Second))
		if !errors.As(err, new(*kafkalog.BrokerError)) || !errors.Is(err, kafka.Error(e.Code)) || !strings.Contains(err.Error(), want) {
			t.Errorf("append: %v", err)
		}
		if h.Hits() != 1 || a.Buffered() == 0 {
			t.Errorf("%s: tried %d times, %d bytes kept", e.Message, h.Hits(), a.Buffered())
		}
		if _, err := k.Reader("t", 0, 0).Next(within(t, 10*time.Second)); !strings.Contains(err.Error(), want) {
			t.Errorf("read: %v", err)
		}
		h.Remove()
		if first := flush(t, a); first != 0 {
			t.Errorf("after mending: appended at %d", first)
		}
	}
}

// A flush that its context ended is taken up by the next one, with the same bytes first.
func TestFlushIsTakenUp(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 1)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	a := k.Appender("t", 0)
	a.Append(nil, []byte("1"))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		h.Wait(within(t, 10*time.Second), 2)
	}()
	if _, err := a.Flush(ctx); !errors.Is(err, context.Canceled) || a.Buffered() == 0 {
		t.Errorf("flush: %v, %d bytes kept", err, a.Buffered())
	}
	a.Append(nil, []byte("2"))
	h.Remove()
	if first := flush(t, a); first != 0 {
		t.Errorf("appended at %d", first)
	}
	if got := numbered(t, k); got != "1 2" {
		t.Errorf("log holds %q", got)
	}
}

// In an outbox one partition in trouble does not keep the others back.
func TestOutboxWithOnePartitionInTrouble(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 3)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "t", Partitions: []int32{1}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	o := k.Outbox()
	for p := range 3 {
		o.Append("t", p, nil, []byte("v"))
	}
	ctx := within(t, 10*time.Second)
	if err := o.Flush(ctx); err == nil || !strings.Contains(err.Error(), "t/1") {
		t.Errorf("flush: %v", err)
	}
	h.Remove()
	if err := o.Flush(ctx); err != nil {
		t.Error(err)
	}
	for p := range 3 {
		if _, end, err := k.Offsets(ctx, "t", p); end != 1 || err != nil {
			t.Errorf("partition %d ends at %d, %v", p, end, err)
		}
	}
}

// A record that the topic does not take fails every flush until it is discarded.
func testRecordTooLarge(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	o := k.Outbox()
	o.Append(topic, 0, nil, make([]byte, 2<<20))
	ctx := within(t, time.Minute)
	for range 2 {
		if err := o.Flush(ctx); !errors.Is(err, kafka.MessageSizeTooLarge) || o.Buffered() < 2<<20 {
			t.Errorf("flush: %v, %d bytes kept", err, o.Buffered())
		}
	}
	o.Discard()
	o.Append(topic, 0, nil, []byte("small"))
	if err := o.Flush(ctx); err != nil || o.Buffered() != 0 {
		t.Errorf("after discarding: %v", err)
	}
	if got := readTo(t, k, topic, 0, 0, 1); len(got) != 1 || got[0].value != "small" {
		t.Errorf("log holds %+v", got)
	}
}

// The leader moves between brokers while records are written and read.
func TestLeaderMoves(t *testing.T) {
	c := broker(t, kfake.NumBrokers(3))
	k := client(t, c)
	create(t, k, "t", 1)
	a, r, ctx := k.Appender("t", 0), k.Reader("t", 0, 0), within(t, 30*time.Second)
	for i := range 12 {
		if err := c.MoveTopicPartition("t", 0, int32(i%3)); err != nil {
			t.Fatal(err)
		}
		a.Append(nil, fmt.Append(nil, i))
		flush(t, a)
		for r.Offset() <= int64(i) {
			b, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range b.Records {
				if string(rec.Value) != fmt.Sprint(i) {
					t.Errorf("read %s, want %d", rec.Value, i)
				}
			}
		}
	}
}

// A broker that accepts and never answers is given up when the context ends, and the buffer of the request is not used again.
func TestSilentBroker(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 1)
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	a := k.Appender("t", 0)
	a.Append(nil, []byte("1"))
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := a.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flush: %v", err)
	}
	close(release)
	a.Append(nil, []byte("2"))
	flush(t, a)
	if got := numbered(t, k); got != "1 2" && got != "1 1 2" && got != "1 2 1" {
		t.Errorf("log holds %q", got)
	}
}

// A long poll ends with its context, not with its time, and the client goes on.
func TestCancelLongPoll(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 1)
	polling := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: "t", Observe: true, Count: -1})
	r := k.Reader("t", 0, 0)
	r.MaxWait = time.Minute
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer cancel()
		polling.Wait(within(t, 10*time.Second), 1)
	}()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("next: %v", err)
	}
	a := k.Appender("t", 0)
	a.Append(nil, []byte("1"))
	flush(t, a)
	if b, err := r.Next(within(t, 10*time.Second)); err != nil || len(b.Records) != 1 {
		t.Errorf("after: %+v, %v", b, err)
	}
}

// A checksum that does not match its contents is an error with a type, after everything before it was delivered.
func TestCorruptBatch(t *testing.T) {
	c := broker(t)
	k := client(t, c)
	create(t, k, "t", 1)
	a := k.Appender("t", 0)
	for _, v := range []string{"1", "2"} {
		a.Append(nil, []byte(v))
		flush(t, a)
	}
	ctx := within(t, 10*time.Second)
	sound := fetchSet(ctx, t, c)
	spoilt := append([]byte(nil), sound...)
	spoilt[len(spoilt)-1] ^= 1
	c.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		set := spoilt
		if req.(*kmsg.FetchRequest).Topics[0].Partitions[0].FetchOffset == 1 {
			set = spoilt[len(spoilt)/2:]
		}
		return fetchResponse(req, set), nil, true
	})
	r := k.Reader("t", 0, 0)
	if b, err := r.Next(ctx); err != nil || len(b.Records) != 1 || b.Next != 1 {
		t.Errorf("before the spoilt batch: %+v, %v", b, err)
	}
	_, err := r.Next(ctx)
	var bad *kafkalog.CorruptError
	if !errors.As(err, &bad) || bad.Topic != "t" || bad.Offset != 1 || !strings.Contains(err.Error(), "checksum") || r.Offset() != 1 {
		t.Errorf("at the spoilt batch: %v, reader at %d", err, r.Offset())
	}
}

// fetchSet reads the bytes of t/0 from the broker.
func fetchSet(ctx context.Context, t testing.TB, c *kfake.Cluster) []byte {
	t.Helper()
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MaxBytes, req.SessionEpoch = 11, 10, 1<<20, -1
	topic, partition := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes, partition.CurrentLeaderEpoch = 1<<20, -1
	topic.Topic, topic.Partitions = "t", []kmsg.FetchRequestTopicPartition{partition}
	req.Topics = []kmsg.FetchRequestTopic{topic}
	res, err := oracle(t, c, kgo.MaxVersions(kversion.V2_4_0())).Request(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return res.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches
}

func fetchResponse(req kmsg.Request, set []byte) kmsg.Response {
	res := req.ResponseKind().(*kmsg.FetchResponse)
	topic, partition := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	partition.HighWatermark, partition.RecordBatches = 2, set
	topic.Topic, topic.Partitions = "t", []kmsg.FetchResponseTopicPartition{partition}
	res.Topics = []kmsg.FetchResponseTopic{topic}
	return res
}

// What does not go on for a while is told once, and so is its end.
func TestTroubleIsTold(t *testing.T) {
	c := broker(t)
	lines := make(chan string, 100)
	k := kafkalog.New(kafkalog.Config{Brokers: c.ListenAddrs(), Log: slog.New(slog.NewTextHandler(lineWriter(lines), nil))})
	defer k.Close()
	create(t, k, "t", 4)
	h := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: -1})
	var wg sync.WaitGroup
	defer wg.Wait()
	for p := range 4 {
		a := k.Appender("t", p)
		a.Append(nil, []byte("v"))
		wg.Go(func() { flush(t, a) })
	}
	if line := <-lines; !strings.Contains(line, "level=WARN") || !strings.Contains(line, "in-sync replicas") || !strings.Contains(line, "t/") {
		t.Errorf("told %q", line)
	}
	h.Remove()
	if line := <-lines; !strings.Contains(line, "level=INFO") || !strings.Contains(line, "goes on") {
		t.Errorf("told %q", line)
	}
	wg.Wait()
	if len(lines) > 0 {
		t.Errorf("told more than once: %q", <-lines)
	}
}

type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) { w <- string(b); return len(b), nil }

// Between the answers to where a partition ends and where it begins, another writes to it and cuts it: what it holds then is told, and not
// that it holds nothing.
func TestOffsetsOfWhatIsCutMeanwhile(t *testing.T) {
	c := broker(t)
	k, other := client(t, c), client(t, c)
	create(t, k, "t", 1)
	write := func(values ...string) {
		a := other.Appender("t", 0)
		for _, v := range values {
			a.Append(nil, []byte(v))
		}
		flush(t, a)
	}
	write("1", "2")
	c.ControlKey(int16(kmsg.ListOffsets), func(req kmsg.Request) (kmsg.Response, error, bool) {
		if req.(*kmsg.ListOffsetsRequest).Topics[0].Partitions[0].Timestamp != kafka.FirstOffset {
			c.KeepControl()
			return nil, nil, false
		}
		c.SleepControl(func() {
			write("3", "4")
			if err := other.DeleteRecords(within(t, 10*time.Second), "t", 0, 3); err != nil {
				t.Error(err)
			}
		})
		return nil, nil, false
	})
	if start, end, err := k.Offsets(within(t, 10*time.Second), "t", 0); start != 3 || end != 4 || err != nil {
		t.Errorf("[%d, %d), %v, want [3, 4)", start, end, err)
	}
}
