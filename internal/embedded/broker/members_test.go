package broker

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestKilledWhileJoining: who was killed while it joined a group is out of it a session later, and the rest have all of the work again.
func TestKilledWhileJoining(t *testing.T) {
	w := newWorkers(t)
	one := w.join()
	if n := w.share(one); n != 2 {
		t.Fatalf("alone: %d partitions", n)
	}
	w.joinAndDie()
	for n := w.share(one); n != 2; n = w.share(one) {
		t.Logf("with the one that was killed: %d partitions", n)
	}
	res, err := ask(w.ctx, w.addr, &kmsg.DescribeGroupsRequest{Groups: []string{"workers"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.(*kmsg.DescribeGroupsResponse).Groups[0].Members); n != 1 {
		t.Errorf("%d members", n)
	}
}

// TestKilledAndOthersCome: the same where another comes before that session is over: the group does not wait for the one that was killed
// for as long as a rebalance may take.
func TestKilledAndOthersCome(t *testing.T) {
	w := newWorkers(t)
	one := w.join()
	if n := w.share(one); n != 2 {
		t.Fatalf("alone: %d partitions", n)
	}
	w.joinAndDie()
	if n := w.share(one); n != 1 {
		t.Fatalf("with the one that was killed: %d partitions", n)
	}
	two := w.join()
	for {
		if a, b := w.share(one), w.share(two); a == 1 && b == 1 {
			return
		}
	}
}

// workers are a group that divides two partitions.
type workers struct {
	t    *testing.T
	ctx  context.Context
	addr string
}

func newWorkers(t *testing.T) *workers {
	b, err := Start(Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
	if _, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: "work", NumPartitions: 2, ReplicationFactor: 1}}}); err != nil {
		t.Fatal(err)
	}
	return &workers{t, ctx, b.Addr()}
}

func (w *workers) join() *kafka.ConsumerGroup {
	w.t.Helper()
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: "workers", Brokers: []string{w.addr}, Topics: []string{"work"}, HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 6 * time.Second,
		RebalanceTimeout: 2 * time.Minute,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { group.Close() })
	return group
}

// share waits for the next generation, and tells how much of the work it brings.
func (w *workers) share(group *kafka.ConsumerGroup) int {
	w.t.Helper()
	for {
		g, err := group.Next(w.ctx)
		if w.ctx.Err() != nil {
			w.t.Fatal("the work is not divided")
		}
		if err == nil {
			return len(g.Assignments["work"])
		}
	}
}

// joinAndDie asks to join, and hears no answer.
func (w *workers) joinAndDie() {
	w.t.Helper()
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = "workers", "consumer", 6000, 120_000
	join.Version = 2 // as kafka-go speaks it: the member is in the group at once
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{"work"}
	for _, name := range []string{"range", "roundrobin"} {
		join.Protocols = append(join.Protocols, kmsg.JoinGroupRequestProtocol{Name: name, Metadata: meta.AppendTo(nil)})
	}
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, join, 1)); err != nil {
		w.t.Fatal(err)
	}
	conn.Close()
}
