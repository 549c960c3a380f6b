package kafkalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// Committed returns the offsets that a consumer group has committed: those its Lag shows people. Partitions without one are missing.
func (c *Client) Committed(ctx context.Context, group string, topics map[string][]int) (map[string]map[int]int64, error) {
	client := kafka.Client{Addr: c.addr, Transport: c.transport, Timeout: callTimeout}
	res, err := client.OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: group, Topics: topics})
	if err == nil {
		err = res.Error
	}
	if errors.Is(err, kafka.GroupIdNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("offsets of group %s: %w", group, judged(err))
	}
	out := map[string]map[int]int64{}
	for topic, partitions := range res.Topics {
		out[topic] = map[int]int64{}
		for _, p := range partitions {
			if p.Error != nil {
				return nil, fmt.Errorf("offset of group %s in %s/%d: %w", group, topic, p.Partition, judged(p.Error))
			}
			if p.CommittedOffset >= 0 {
				out[topic][p.Partition] = p.CommittedOffset
			}
		}
	}
	return out, nil
}

// TopicState is how a topic is kept.
type TopicState struct {
	Partitions  int
	Replication int // the least of any partition
	InSync      int // the same
	Configs     map[string]string
}

// Describe tells how topics are kept. Those that are not there, or that this client may not see, are missing.
func (c *Client) Describe(ctx context.Context, names []string) (map[string]TopicState, error) {
	topics, err := c.metadata(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", judged(err))
	}
	out := map[string]TopicState{}
	req := &kafka.DescribeConfigsRequest{}
	for _, t := range topics {
		if t.ErrorCode != 0 {
			continue
		}
		s := TopicState{Partitions: len(t.Partitions), Configs: map[string]string{}}
		for i, p := range t.Partitions {
			if n := len(p.ReplicaNodes); i == 0 || n < s.Replication {
				s.Replication = n
			}
			if n := len(p.IsrNodes); i == 0 || n < s.InSync {
				s.InSync = n
			}
		}
		out[t.Name] = s
		req.Resources = append(req.Resources, kafka.DescribeConfigRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: t.Name})
	}
	client := kafka.Client{Addr: c.addr, Transport: c.transport, Timeout: callTimeout}
	res, err := client.DescribeConfigs(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("describe the settings of topics: %w", judged(err))
	}
	for _, r := range res.Resources {
		if r.Error != nil {
			return nil, fmt.Errorf("describe the settings of %s: %w", r.ResourceName, judged(r.Error))
		}
		for _, e := range r.ConfigEntries {
			out[r.ResourceName].Configs[e.ConfigName] = e.ConfigValue
		}
	}
	return out, nil
}

// BrokerCount is how many brokers the cluster has.
func (c *Client) BrokerCount(ctx context.Context) (int, error) {
	client := kafka.Client{Addr: c.addr, Transport: c.transport, Timeout: callTimeout}
	res, err := client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{}})
	if err != nil {
		return 0, fmt.Errorf("list brokers: %w", judged(err))
	}
	return len(res.Brokers), nil
}
