package kafkalog

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// leaders remembers which broker leads each partition in use. An entry is dropped when a request to it goes wrong, and asked for
// again when it is next needed.
type leaders struct {
	mu     sync.RWMutex // guards topics and wanted
	topics map[string][]int32
	wanted map[string]bool // topics to ask for
	asking chan struct{}   // holds a token while metadata is being asked for: sixty readers that lost a leader ask once, of all their topics
}

const noLeader int32 = -1

func newLeaders() leaders {
	return leaders{topics: map[string][]int32{}, wanted: map[string]bool{}, asking: make(chan struct{}, 1)}
}

func (l *leaders) get(topic string, partition int) int32 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if ids := l.topics[topic]; partition >= 0 && partition < len(ids) {
		return ids[partition]
	}
	return noLeader
}

func (l *leaders) set(topic string, ids []int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.topics[topic] = ids
}

// want notes that somebody waits for the leaders of a topic.
func (l *leaders) want(topic string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted[topic] = true
}

// takeWanted names the topics that are waited for, topic among them.
func (l *leaders) takeWanted(topic string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted[topic] = true
	names := slices.Sorted(maps.Keys(l.wanted))
	clear(l.wanted)
	return names
}

// forget drops the leader of a partition unless another one was found meanwhile.
func (l *leaders) forget(topic string, partition int, id int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ids := l.topics[topic]; partition < len(ids) && ids[partition] == id {
		ids[partition] = noLeader
	}
}

// leader returns the broker that leads a partition, asking the cluster if it is not known.
func (c *Client) leader(ctx context.Context, topic string, partition int) (int32, error) {
	if id := c.leaders.get(topic, partition); id != noLeader {
		return id, nil
	}
	c.leaders.want(topic)
	select {
	case c.leaders.asking <- struct{}{}:
		defer func() { <-c.leaders.asking }()
	case <-ctx.Done():
		return noLeader, ctx.Err()
	}
	if id := c.leaders.get(topic, partition); id != noLeader {
		return id, nil
	}
	return c.findLeader(ctx, topic, partition)
}

// findLeader asks for the leaders of a topic, and of those that others wait for.
func (c *Client) findLeader(ctx context.Context, topic string, partition int) (int32, error) {
	topics, err := c.metadata(ctx, c.leaders.takeWanted(topic))
	if err != nil {
		return noLeader, err
	}
	for _, t := range topics {
		if codeError(t.ErrorCode) == nil {
			c.leaders.set(t.Name, leadersOf(t.Partitions))
		}
	}
	for _, t := range topics {
		ids, err := leadersOf(t.Partitions), codeError(t.ErrorCode)
		switch {
		case t.Name != topic:
			continue
		case err != nil:
			return noLeader, err
		case partition < 0 || partition >= len(ids):
			return noLeader, kafka.UnknownTopicOrPartition
		case ids[partition] == noLeader:
			return noLeader, kafka.LeaderNotAvailable
		}
		return ids[partition], nil
	}
	return noLeader, kafka.UnknownTopicOrPartition
}

// leadersOf lists the leaders by partition. kafka-go is not asked to sort them.
func leadersOf(partitions []metadata.ResponsePartition) []int32 {
	ids := make([]int32, len(partitions))
	for i := range ids {
		ids[i] = noLeader
	}
	for _, p := range partitions {
		if i := int(p.PartitionIndex); i >= 0 && i < len(ids) && codeError(p.ErrorCode) == nil {
			ids[i] = p.LeaderID
		}
	}
	return ids
}

// metadata asks any broker about topics, all of them if names is nil.
func (c *Client) metadata(ctx context.Context, names []string) ([]metadata.ResponseTopic, error) {
	res, err := c.call(ctx, anyBroker, &metadata.Request{TopicNames: names})
	if err != nil {
		return nil, err
	}
	return res.(*metadata.Response).Topics, nil
}
