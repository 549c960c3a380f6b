package kafkalog

import (
	"context"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// TopicSpec describes a topic to create.
type TopicSpec struct {
	Name        string
	Partitions  int
	Replication int               // copies of each partition; 0: what the brokers do by default
	Configs     map[string]string // such as retention.ms
}

// CreateTopics creates those topics that are not there yet and returns when every partition has a leader. A topic that is there
// keeps its settings; another number of partitions is an error, found before anything is created.
func (c *Client) CreateTopics(ctx context.Context, specs []TopicSpec) error {
	t := c.try(step("create topics"))
	for {
		missing, err := c.missing(ctx, specs)
		if err == nil && len(missing) == 0 {
			t.done()
			return nil
		}
		if err == nil {
			if err = c.createTopics(ctx, missing); err == nil {
				t.progressed()
				continue
			}
		}
		if err := t.again(ctx, err); err != nil {
			return err
		}
	}
}

// missing returns the topics that are not there. It is an error if one has another number of partitions, or no leader yet.
func (c *Client) missing(ctx context.Context, specs []TopicSpec) (missing []TopicSpec, err error) {
	topics, err := c.metadata(ctx, nil)
	if err != nil {
		return nil, err
	}
	for _, s := range specs {
		i := slices.IndexFunc(topics, func(t metadata.ResponseTopic) bool { return t.Name == s.Name })
		if i < 0 {
			missing = append(missing, s)
			continue
		}
		if wrong := checkTopic(s, topics[i]); wrong != nil {
			err = worse(err, wrong)
		}
	}
	return missing, err
}

func checkTopic(s TopicSpec, t metadata.ResponseTopic) error {
	if err := codeError(t.ErrorCode); err != nil {
		return fmt.Errorf("topic %s: %w", s.Name, err)
	}
	if len(t.Partitions) != s.Partitions {
		return &BrokerError{
			Cause:  fmt.Errorf("topic %s has %d partitions, not %d", s.Name, len(t.Partitions), s.Partitions),
			Advice: "the number is fixed when a prefix is first used: ask for that many, or take another prefix and replay into it",
		}
	}
	if slices.Contains(leadersOf(t.Partitions), noLeader) {
		return fmt.Errorf("topic %s: %w", s.Name, kafka.LeaderNotAvailable)
	}
	return nil
}

func (c *Client) createTopics(ctx context.Context, specs []TopicSpec) error {
	req := &createtopics.Request{TimeoutMs: int32(callTimeout.Milliseconds() / 2)}
	for _, s := range specs {
		t := createtopics.RequestTopic{Name: s.Name, NumPartitions: int32(s.Partitions), ReplicationFactor: int16(s.Replication)}
		if s.Replication == 0 {
			t.ReplicationFactor = -1
		}
		for name, value := range s.Configs {
			t.Configs = append(t.Configs, createtopics.RequestConfig{Name: name, Value: value})
		}
		req.Topics = append(req.Topics, t)
	}
	res, err := c.call(ctx, theController, req)
	if err != nil {
		return err
	}
	for _, t := range res.(*createtopics.Response).Topics {
		code := codeError(t.ErrorCode)
		if code == nil || code == kafka.TopicAlreadyExists { // somebody else just created it: the next look compares
			continue
		}
		if t.ErrorMessage != "" {
			code = fmt.Errorf("%w (%s)", code, t.ErrorMessage)
		}
		err = worse(err, fmt.Errorf("topic %s: %w", t.Name, code))
	}
	return err
}

// Topics returns the number of partitions of every topic that this client may see, without Kafka's internal ones.
func (c *Client) Topics(ctx context.Context) (map[string]int, error) {
	t := c.try(step("list topics"))
	for {
		topics, err := c.metadata(ctx, nil)
		if err == nil {
			t.done()
			counts := make(map[string]int, len(topics))
			for _, t := range topics {
				if !t.IsInternal && t.ErrorCode == 0 {
					counts[t.Name] = len(t.Partitions)
				}
			}
			return counts, nil
		}
		if err := t.again(ctx, err); err != nil {
			return nil, err
		}
	}
}
