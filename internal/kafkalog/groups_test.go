package kafkalog_test

import (
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// What is committed is what any other client finds in the group.
func testLag(t *testing.T, c cluster) {
	topic := unique()
	k := client(t, c)
	create(t, k, topic, 2)
	lag := k.Lag("group")
	ctx := within(t, time.Minute)
	other := kafka.Client{Addr: kafka.TCP(c.ListenAddrs()...)}
	var got map[int]int64
	for at := int64(3); ; at++ {
		lag.Commit(ctx, map[string]map[int]int64{topic: {0: at, 1: at + 1}})
		res, err := other.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: "group", Topics: map[string][]int{topic: {0, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		got = map[int]int64{}
		for _, p := range res.Topics[topic] {
			got[p.Partition] = p.CommittedOffset
		}
		if got[0] == at && got[1] == at+1 {
			return
		}
		select { // a broker that has just been set up
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("committed %v", got)
		}
	}
}
