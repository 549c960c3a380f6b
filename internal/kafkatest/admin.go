package kafkatest

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ask sends a request over the inner listener, past proxies and passwords.
func ask[R kmsg.Response](c *Cluster, req kmsg.Request) (res R, err error) {
	var seeds []string
	for _, n := range c.Nodes {
		seeds = append(seeds, n.inside)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(seeds...))
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
	before, err := c.leaders()
	if err == nil {
		err = c.rotate()
	}
	if err == nil {
		err = c.elect()
	}
	after, err2 := c.leaders()
	if err != nil || err2 != nil {
		c.t.Fatalf("move leaders: %v, %v", err, err2)
	}
	for p, leader := range after {
		if before[p] != leader {
			moved++
		}
	}
	return moved
}

// leaders maps topic/partition to the id of its leader.
func (c *Cluster) leaders() (map[string]int32, error) {
	topics, err := c.partitions()
	if err != nil {
		return nil, err
	}
	all := map[string]int32{}
	for _, t := range topics {
		for _, p := range t.Partitions {
			all[fmt.Sprint(*t.Topic, "/", p.Partition)] = p.Leader
		}
	}
	return all, nil
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

// elect makes the preferred replicas leaders.
func (c *Cluster) elect() error {
	req := kmsg.NewPtrElectLeadersRequest()
	req.ElectionType, req.Topics, req.TimeoutMillis = 0, nil, 20_000
	res, err := ask[*kmsg.ElectLeadersResponse](c, req)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(res.ErrorCode)
}
