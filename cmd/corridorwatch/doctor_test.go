package main

import (
	"maps"
	"strings"
	"testing"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
)

// TestCheckTopic: each way in which a topic can lose data is named, with what to do; as 'topics apply' creates it none is.
func TestCheckTopic(t *testing.T) {
	want := installation.Specs("p", 4, 3)[2]
	for _, c := range []struct {
		brokers int
		change  func(*kafkalog.TopicState)
		problem string
	}{
		{3, func(*kafkalog.TopicState) {}, ""},
		{3, func(s *kafkalog.TopicState) { s.Partitions = 5 }, "5 partitions, not 4"},
		{3, func(s *kafkalog.TopicState) { s.Replication = 1 }, "1 replicas"},
		{3, func(s *kafkalog.TopicState) { s.InSync = 2 }, "2 of 3 replicas are in sync"},
		{3, func(s *kafkalog.TopicState) { s.Configs["min.insync.replicas"] = "1" }, "--add-config min.insync.replicas=2"},
		{3, func(s *kafkalog.TopicState) { s.Configs["unclean.leader.election.enable"] = "true" }, "unclean.leader.election.enable=false"},
		{3, func(s *kafkalog.TopicState) { s.Configs["message.timestamp.type"] = "CreateTime" }, "message.timestamp.type=LogAppendTime"},
		{1, func(s *kafkalog.TopicState) { s.Configs["retention.ms"] = "604800000" }, "--add-config retention.ms=-1"},
		{1, func(s *kafkalog.TopicState) { s.Configs["cleanup.policy"] = "compact" }, "cleanup.policy is compact"},
		{1, func(s *kafkalog.TopicState) { s.Replication, s.InSync, s.Configs["min.insync.replicas"] = 1, 1, "1" }, ""},
	} {
		have := kafkalog.TopicState{Partitions: 4, Replication: 3, InSync: 3, Configs: maps.Clone(want.Configs)}
		c.change(&have)
		err := checkTopic(want, have, c.brokers)
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%q: got %v", c.problem, err)
		}
	}
}
