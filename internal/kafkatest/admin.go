package kafkatest

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask sends a request over the inner listener, past proxies and passwords.
func ask[R kmsg.Response](c *Cluster, req kmsg.Request) (res R, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Inside()...))
	if err != nil {
		return res, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	any, err := client.Request(ctx, req)
	if err != nil {
		return res, err
	}
	return any.(R), nil
}

// partitions lists all partitions of all topics.
func (c *Cluster) partitions() ([]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil
	res, err := ask[*kmsg.MetadataResponse](c, req)
	if err != nil {
		return nil, err
	}
	return res.Topics, nil
}

// MoveLeaders gives every partition another leader among its replicas: the next one in its list. It returns how many leaders moved.
func (c *Cluster) MoveLeaders() (moved int) {
	c.t.Helper()
	err := c.rotate()
	if err == nil {
		moved, err = c.elect()
	}
	if err != nil {
		c.t.Fatalf("move leaders: %v", err)
	}
	return moved
}

// rotate puts the second replica of every partition first, where the preferred leader stands.
func (c *Cluster) rotate() error {
	topics, err := c.partitions()
	if err != nil {
		return err
	}
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	for _, t := range topics {
		topic := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		topic.Topic = *t.Topic
		for _, p := range t.Partitions {
			if len(p.Replicas) < 2 {
				continue
			}
			partition := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
			partition.Partition, partition.Replicas = p.Partition, append(p.Replicas[1:], p.Replicas[0])
			topic.Partitions = append(topic.Partitions, partition)
		}
		req.Topics = append(req.Topics, topic)
	}
	res, err := ask[*kmsg.AlterPartitionAssignmentsResponse](c, req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(res.ErrorCode)
}

// elect makes the preferred replicas leaders, and counts those that were not.
func (c *Cluster) elect() (elected int, err error) {
	req := kmsg.NewPtrElectLeadersRequest()
	req.ElectionType, req.Topics, req.TimeoutMillis = 0, nil, 20_000
	res, err := ask[*kmsg.ElectLeadersResponse](c, req)
	if err != nil {
		return 0, err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode == 0 {
				elected++
			}
		}
	}
	return elected, kerr.ErrorForCode(res.ErrorCode)
}

// SetTopics changes a setting of every topic that clients made.
func (c *Cluster) SetTopics(name, value string) {
	c.t.Helper()
	topics, err := c.partitions()
	if err != nil {
		c.t.Fatalf("set %s: %v", name, err)
	}
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	for _, t := range topics {
		if t.IsInternal {
			continue
		}
		resource, config := kmsg.NewIncrementalAlterConfigsRequestResource(), kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, *t.Topic
		config.Name, config.Op, config.Value = name, kmsg.IncrementalAlterConfigOpSet, &value
		resource.Configs = append(resource.Configs, config)
		req.Resources = append(req.Resources, resource)
	}
	res, err := ask[*kmsg.IncrementalAlterConfigsResponse](c, req)
	if err != nil {
		c.t.Fatalf("set %s: %v", name, err)
	}
	for _, r := range res.Resources {
		if err := kerr.ErrorForCode(r.ErrorCode); err != nil {
			c.t.Fatalf("set %s of %s: %v", name, r.ResourceName, err)
		}
	}
}
