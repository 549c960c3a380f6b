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
	one := w.alone()
	w.joinAndDie()
	for n := w.share(one); n != 2; n = w.share(one) {
		t.Logf("with the one that was killed: %d partitions", n)
	}
	if n := w.members(); n != 1 {
		t.Errorf("%d members", n)
	}
}

// TestKilledAndOthersCome: the same where another comes before that session is over: the group does not wait for the one that was killed
// for as long as a rebalance may take.
func TestKilledAndOthersCome(t *testing.T) {
	w := newWorkers(t)
	one := w.alone()
	w.joinAndDie()
	if n := w.share(one); n != 1 {
		t.Fatalf("with the one that was killed: %d partitions", n)
	}
	two := w.join()
	// Who hears of which generation first is open: a generation may still have the one that was killed, or come before the other is there.
	shares := make(chan [2]int)
	for i, group := range []*kafka.ConsumerGroup{one, two} {
		go func() {
			for {
				g, err := group.Next(w.ctx)
				if w.ctx.Err() != nil {
					return
				}
				if err != nil {
					continue
				}
				select {
				case shares <- [2]int{i, len(g.Assignments["work"])}:
				case <-w.ctx.Done():
					return
				}
			}
		}()
	}
	var last [2]int
	for last != [2]int{1, 1} || w.members() != 2 {
		select {
		case share := <-shares:
			last[share[0]] = share[1]
			t.Logf("%d partitions for each", last)
		case <-w.ctx.Done():
			t.Fatalf("the work is not divided: %d partitions for each, %d members", last, w.members())
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
	return workersAt(t, b)
}

func workersAt(t *testing.T, b *Broker) *workers {
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

// alone is the first to join, and has all of the work.
func (w *workers) alone() *kafka.ConsumerGroup {
	w.t.Helper()
	one := w.join()
	if n := w.share(one); n != 2 {
		w.t.Fatalf("alone: %d partitions", n)
	}
	return one
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

func (w *workers) members() int {
	w.t.Helper()
	res, err := ask(w.t.Context(), w.addr, &kmsg.DescribeGroupsRequest{Groups: []string{"workers"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(res.(*kmsg.DescribeGroupsResponse).Groups[0].Members)
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

// TestRestartedWithMembers: the members of a group are those of the next start too, and watched by it though they do not join again.
func TestRestartedWithMembers(t *testing.T) {
	dir := t.TempDir()
	b, err := Start(Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	w := workersAt(t, b)
	w.alone()
	b.Close()
	if b, err = Start(Config{Dir: dir, Listen: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	w.addr = b.Addr()
	if n := w.members(); n != 1 {
		t.Fatalf("%d members after the restart", n)
	}
	m := &members{addr: b.Addr(), log: b.log.to, groups: map[string]*group{}}
	if err := m.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &kmsg.DescribeGroupsResponseGroup{Group: "workers", State: "Stable", Members: []kmsg.DescribeGroupsResponseGroupMember{{MemberID: "one"}}}
	if out := m.silent(d); len(out) != 0 {
		t.Fatalf("just found, and silent for too long: %s", out)
	}
	m.groups["workers"].seen["one"] = time.Now().Add(-unknownSession - time.Second)
	if out := m.silent(d); len(out) != 1 {
		t.Error("a member that is silent since the restart keeps its share")
	}
}
