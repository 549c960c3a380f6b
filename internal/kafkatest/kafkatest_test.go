package kafkatest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

// TestHere says whether tests have Apache Kafka; 'make test' shows what it prints.
func TestHere(t *testing.T) {
	dir, err := kafkatest.Find()
	if err != nil {
		fmt.Println("Apache Kafka is NOT tested with:", err)
		kafkatest.Missing(t, err)
	}
	fmt.Printf("Apache Kafka %s is tested with, from %s\n", kafkatest.Version, dir)
}

// TestLongThreeNodes: three nodes hold a partition; its leader moves to another, proxies lose an answer, and a node that was killed comes back on its data.
func TestLongThreeNodes(t *testing.T) {
	longtest.Only(t)
	c := kafkatest.StartConfig(t, kafkatest.Config{Nodes: 3, Proxied: true})
	topic(t, c, "t")
	if err := write(c, "t", "1"); err != nil {
		t.Fatal(err)
	}
	if moved := c.MoveLeaders(); moved == 0 {
		t.Error("no leader moved")
	}
	for _, n := range c.Nodes {
		n.Proxy.LoseAnswers(int16(kmsg.Produce), 1)
	}
	if err := write(c, "t", "2"); err == nil {
		t.Error("a write whose answer was lost succeeded")
	}
	lost := 0
	for _, n := range c.Nodes {
		lost += n.Proxy.Lost()
		n.Proxy.LoseAnswers(int16(kmsg.Produce), 0)
	}
	if lost != 1 {
		t.Errorf("%d answers were lost", lost)
	}
	c.Nodes[0].Kill()
	c.Nodes[0].Restart()
	if got := read(t, c, "t", 2); got != "1 2 " {
		t.Errorf("read %q: the work of the lost answer was not done", got)
	}
}

func topic(t *testing.T, c *kafkatest.Cluster, name string) {
	t.Helper()
	res, err := (&kafka.Client{Addr: kafka.TCP(c.Brokers...), Timeout: 20 * time.Second}).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: name, NumPartitions: 1, ReplicationFactor: -1}},
	})
	if err == nil {
		err = res.Errors[name]
	}
	if err != nil {
		t.Fatal(err)
	}
}

// write tries once: a client that asks again would hide what a proxy does.
func write(c *kafkatest.Cluster, topic, value string) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	w := &kafka.Writer{Addr: kafka.TCP(c.Brokers...), Topic: topic, RequiredAcks: kafka.RequireAll, MaxAttempts: 1, BatchTimeout: time.Millisecond, Transport: transport}
	defer w.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return w.WriteMessages(ctx, kafka.Message{Value: []byte(value)})
}

func read(t *testing.T, c *kafkatest.Cluster, topic string, n int) (values string) {
	t.Helper()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: c.Brokers, Topic: topic, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("after %q: %v", values, err)
		}
		values += string(m.Value) + " "
	}
	return values
}
