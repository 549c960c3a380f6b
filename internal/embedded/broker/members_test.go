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
	b, err := Start(Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
	if _, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: "work", NumPartitions: 2, ReplicationFactor: 1}}}); err != nil {
		t.Fatal(err)
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: "workers", Brokers: []string{b.Addr()}, Topics: []string{"work"}, HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 6 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer group.Close()
	// share waits for the next generation, and tells how much of the work it brings.
	share := func() int {
		t.Helper()
		g, err := group.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return len(g.Assignments["work"])
	}
	if n := share(); n != 2 {
		t.Fatalf("alone: %d partitions", n)
	}

	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = "workers", "consumer", 6000, 30_000
	join.Version = 2 // as kafka-go speaks it: the member is in the group at once
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{"work"}
	for _, name := range []string{"range", "roundrobin"} {
		join.Protocols = append(join.Protocols, kmsg.JoinGroupRequestProtocol{Name: name, Metadata: meta.AppendTo(nil)})
	}
	conn, err := net.Dial("tcp", b.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, join, 1)); err != nil {
		t.Fatal(err)
	}
	conn.Close()

	for n := share(); n != 2; n = share() {
		t.Logf("with the one that was killed: %d partitions", n)
	}
	res, err := ask(ctx, b.Addr(), &kmsg.DescribeGroupsRequest{Groups: []string{"workers"}})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.(*kmsg.DescribeGroupsResponse).Groups[0].Members); n != 1 {
		t.Errorf("%d members", n)
	}
}
