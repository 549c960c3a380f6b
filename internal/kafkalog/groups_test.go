package kafkalog_test

import (
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// What is committed is what any other client finds in the group.
func TestLag(t *testing.T) {
	b := broker(t)
	k := client(t, b)
	create(t, k, "topic", 2)
	lag := k.Lag("group")
	for _, at := range []int64{3, 5} {
		lag.Commit(within(t, 10*time.Second), map[string]map[int]int64{"topic": {0: at, 1: at + 1}})
	}
	other := kafka.Client{Addr: kafka.TCP(b.ListenAddrs()...)}
	res, err := other.OffsetFetch(within(t, 10*time.Second), &kafka.OffsetFetchRequest{GroupID: "group", Topics: map[string][]int{"topic": {0, 1}}})
	if err != nil {
		t.Fatal(err)
	}
	got := map[int]int64{}
	for _, p := range res.Topics["topic"] {
		got[p.Partition] = p.CommittedOffset
	}
	if len(got) != 2 || got[0] != 5 || got[1] != 6 {
		t.Errorf("committed %v", got)
	}
}
