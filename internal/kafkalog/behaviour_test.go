package kafkalog_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/kafkatest"
)

// Batches as large as they get come back whole, also where less was asked for.
func testLargeBatches(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 2)
	o := k.Outbox()
	const n, size = 24, 300_000
	for i := range n {
		o.Append(topic, i%2, fmt.Append(nil, i), bytes.Repeat([]byte{byte(i)}, size))
	}
	if err := o.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	for p := range 2 {
		r, ctx := k.Reader(topic, p, 0), within(t, time.Minute)
		r.MaxBytes = 1000
		for i := p; i < n; {
			b, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range b.Records {
				if string(rec.Key) != fmt.Sprint(i) || len(rec.Value) != size || rec.Value[size-1] != byte(i) {
					t.Errorf("partition %d offset %d: key %s, %d bytes", p, rec.Offset, rec.Key, len(rec.Value))
				}
				i += 2
			}
		}
	}
}

// A reader at the end waits for its time, or until something comes.
func testLongPoll(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	ctx := within(t, time.Minute)
	r := k.Reader(topic, 0, 0)
	r.MaxWait = 100 * time.Millisecond
	began := time.Now()
	if b, err := r.Next(ctx); err != nil || len(b.Records) > 0 || time.Since(began) < r.MaxWait {
		t.Errorf("after %s: %+v, %v", time.Since(began), b, err)
	}
	r.MaxWait = 45 * time.Second
	var wg sync.WaitGroup
	defer wg.Wait()
	began = time.Now()
	wg.Go(func() {
		a := client(t, c).Appender(topic, 0)
		a.Append(nil, []byte("at last"))
		flush(t, a)
	})
	if b, err := r.Next(ctx); err != nil || len(b.Records) != 1 || time.Since(began) > r.MaxWait {
		t.Errorf("after %s: %+v, %v", time.Since(began), b, err)
	}
}

// A record's time is that of its producer, or of the broker where the topic says so.
func testTimestamps(t *testing.T, c cluster) {
	k := client(t, c)
	then := time.Date(2001, 2, 3, 4, 5, 6, 7e6, time.UTC)
	for kind, right := range map[string]func(time.Time) bool{
		"CreateTime":    func(at time.Time) bool { return at.Equal(then) },
		"LogAppendTime": func(at time.Time) bool { return time.Since(at) < time.Minute },
	} {
		if _, ok := c.(embeddedBroker); ok && kind == "LogAppendTime" {
			continue // it always keeps the producer's; what looks at times makes do with that
		}
		spec := kafkalog.TopicSpec{Name: unique(), Partitions: 1, Configs: map[string]string{"message.timestamp.type": kind, "retention.ms": "-1"}}
		ctx := within(t, time.Minute)
		if err := k.CreateTopics(ctx, []kafkalog.TopicSpec{spec}); err != nil {
			t.Fatal(err)
		}
		p := oracle(t, c, kgo.DefaultProduceTopic(spec.Name))
		if err := p.ProduceSync(ctx, &kgo.Record{Value: []byte("v"), Timestamp: then}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		b, err := k.Reader(spec.Name, 0, 0).Next(ctx)
		if err != nil || len(b.Records) != 1 || !right(time.UnixMilli(b.Records[0].TimeMS)) {
			t.Errorf("%s: %+v, %v", kind, b.Records, err)
		}
	}
}

// A produce whose answer was lost lies in the log twice, in order.
func testAnswerLost(t *testing.T, c cluster) {
	if _, ok := c.(embeddedBroker); ok {
		c = listenThrough(t) // what it is made of
	}
	through, ok := c.(interface{ Proxies() []*kafkatest.Proxy })
	if !ok {
		t.Skip("no proxy before these nodes")
	}
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 1)
	a := k.Appender(topic, 0)
	a.Append(nil, []byte("1"))
	flush(t, a)
	for _, p := range through.Proxies() {
		p.LoseAnswers(int16(kmsg.Produce), 1)
	}
	a.Append(nil, []byte("2"))
	a.Append(nil, []byte("3"))
	if first := flush(t, a); first != 3 {
		t.Errorf("acknowledged at %d, want 3, where the repetition lies", first)
	}
	for _, p := range through.Proxies() {
		p.LoseAnswers(int16(kmsg.Produce), 0)
	}
	a.Append(nil, []byte("4"))
	flush(t, a)
	values := ""
	for _, r := range readTo(t, k, topic, 0, 0, 6) {
		values += r.value
	}
	if values != "123234" {
		t.Errorf("log holds %q", values)
	}
}

// kcat, which is librdkafka's, reads what appenders write with every codec, and writes what readers read.
func testKcat(t *testing.T, c cluster) {
	kcat, err := exec.LookPath("kcat")
	if err != nil {
		if os.Getenv("CORRIDORWATCH_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("kcat is not installed (Debian package kcat)")
	}
	k := client(t, c)
	run := func(in string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(within(t, time.Minute), kcat, append([]string{"-b", c.ListenAddrs()[0], "-p", "0"}, args...)...)
		cmd.Stdin = strings.NewReader(in)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("kcat %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, codec := range []kafkalog.Compression{kafkalog.None, kafkalog.Gzip, kafkalog.Snappy, kafkalog.Lz4, kafkalog.Zstd} {
		topic := unique()
		create(t, k, topic, 1)
		a := k.Appender(topic, 0)
		a.Compression = codec
		a.Append([]byte("k"), []byte(strings.Repeat("ours ", 50)), kafkalog.Header{Key: "h", Value: []byte("x")})
		a.Append(nil, nil)
		flush(t, a)
		if got, want := run("", "-C", "-e", "-q", "-t", topic, "-o", "beginning", "-f", "%o %k %h %s|"), "0 k h=x "+strings.Repeat("ours ", 50)+"|1   |"; got != want {
			t.Errorf("%s: kcat reads %q", codec, got)
		}
		z := codec.String()
		if codec == kafkalog.None {
			z = "none"
		}
		run("k2:"+strings.Repeat("theirs ", 50), "-P", "-t", topic, "-K:", "-z", z)
		if got := readTo(t, k, topic, 0, 2, 3); len(got) != 1 || got[0].key != "k2" || got[0].value != strings.Repeat("theirs ", 50) {
			t.Errorf("%s: of kcat we read %+v", codec, got)
		}
	}
}

// The members of a group share the partitions; when one leaves, the other gets them all.
func testGroup(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 4)
	type has struct {
		who        string
		partitions []int
	}
	shared := make(chan has, 100)
	var wg sync.WaitGroup
	defer wg.Wait()
	join := func(who string) context.CancelFunc {
		ctx, cancel := context.WithCancel(within(t, 2*time.Minute))
		wg.Go(func() {
			err := client(t, c).Join(ctx, kafkalog.GroupConfig{ID: "group of " + topic, Topics: []string{topic}}, func(ctx context.Context, g kafkalog.Generation) error {
				shared <- has{who, slices.Sorted(slices.Values(g.Partitions[topic]))}
				<-ctx.Done()
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", who, err)
			}
		})
		return cancel
	}
	last := map[string][]int{}
	until := func(what string, want ...string) {
		t.Helper()
		for !sharedBy(last, want) {
			select {
			case h := <-shared:
				last[h.who] = h.partitions
			case <-time.After(time.Minute):
				t.Fatalf("%s: %v", what, last)
			}
		}
	}
	leave := join("ann")
	until("one member", "ann")
	other := join("bob")
	defer other()
	until("two members", "ann", "bob")
	leave()
	delete(last, "ann")
	until("one has left", "bob")
}

// sharedBy tells whether these members have the four partitions among them, about as many each.
func sharedBy(last map[string][]int, members []string) bool {
	var all []int
	for _, m := range members {
		if len(last[m]) != 4/len(members) {
			return false
		}
		all = append(all, last[m]...)
	}
	slices.Sort(all)
	return slices.Equal(all, []int{0, 1, 2, 3})
}

// testGrants holds a cluster that asks for passwords to what its clients are told.
func testGrants(t *testing.T, c *kafkatest.Cluster) {
	topic := unique()
	create(t, client(t, addresses(c.Inside())), topic, 1)
	as := func(m sasl.Mechanism) *kafkalog.Client {
		k := kafkalog.New(kafkalog.Config{Brokers: c.Brokers, SASL: m})
		t.Cleanup(func() { k.Close() })
		return k
	}
	sha := func(algorithm scram.Algorithm, u kafkatest.User) sasl.Mechanism {
		m, err := scram.Mechanism(algorithm, u.Name, u.Password)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ctx := within(t, 2*time.Minute)
	refused := func(what string, err error, code kafka.Error, advice string) {
		t.Helper()
		if !errors.As(err, new(*kafkalog.BrokerError)) || !errors.Is(err, code) || !strings.Contains(err.Error(), advice) {
			t.Errorf("%s: %v", what, err)
		}
	}
	write := func(k *kafkalog.Client) error {
		a := k.Appender(topic, 0)
		a.Append(nil, []byte("v"))
		_, err := a.Flush(ctx)
		return err
	}
	wrong := kafkatest.User{Name: kafkatest.Ann.Name, Password: "wrong"}
	refused("wrong password, PLAIN", write(as(plain.Mechanism{Username: wrong.Name, Password: wrong.Password})), kafka.SASLAuthenticationFailed, "password")
	refused("wrong password, SCRAM", write(as(sha(scram.SHA512, wrong))), kafka.SASLAuthenticationFailed, "password")
	for _, m := range []sasl.Mechanism{plain.Mechanism{Username: kafkatest.Admin.Name, Password: kafkatest.Admin.Password}, sha(scram.SHA256, kafkatest.Admin), sha(scram.SHA512, kafkatest.Admin)} {
		if err := write(as(m)); err != nil {
			t.Errorf("admin by %s: %v", m.Name(), err)
		}
	}
	ann := as(sha(scram.SHA256, kafkatest.Ann))
	refused("ann writes", write(ann), kafka.TopicAuthorizationFailed, "grant")
	c.Allow(kafkatest.Ann, kmsg.ACLResourceTypeTopic, topic, false, kmsg.ACLOperationDescribe, kmsg.ACLOperationWrite)
	if err := write(ann); err != nil {
		t.Errorf("ann writes as granted: %v", err)
	}
	_, err := ann.Reader(topic, 0, 0).Next(ctx)
	refused("ann reads", err, kafka.TopicAuthorizationFailed, "grant")
	err = ann.CreateTopics(ctx, []kafkalog.TopicSpec{{Name: unique(), Partitions: 1}})
	if err == nil || !strings.Contains(err.Error(), "grant") {
		t.Errorf("ann creates a topic: %v", err)
	}
	err = ann.Join(ctx, kafkalog.GroupConfig{ID: "g", Topics: []string{topic}}, func(context.Context, kafkalog.Generation) error { return nil })
	refused("ann joins a group", err, kafka.GroupAuthorizationFailed, "group")
}
