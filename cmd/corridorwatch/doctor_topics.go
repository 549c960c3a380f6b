package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// checkTopics looks for what can lose data in how the topics are kept. It tells how they are, and every problem with what to do.
func checkTopics(ctx context.Context, log *kafkalog.Client, prefix string, partitions int) (string, error) {
	brokers, err := log.BrokerCount(ctx)
	if err != nil {
		return "", err
	}
	specs := installation.Specs(prefix, partitions, 0)
	var names []string
	for _, s := range specs {
		names = append(names, s.Name)
	}
	have, err := log.Describe(ctx, names)
	if err != nil {
		return "", err
	}
	var all []error
	for _, s := range specs {
		if t, ok := have[s.Name]; !ok {
			all = append(all, fmt.Errorf("%s is not there, or this user may not see it: 'topics plan' says what to create and to grant", s.Name))
		} else {
			all = append(all, checkTopic(s, t, brokers))
		}
	}
	return fmt.Sprintf("%d topics on %d brokers, %d replicas", len(have), brokers, have[names[0]].Replication), errors.Join(all...)
}

func checkTopic(want kafkalog.TopicSpec, t kafkalog.TopicState, brokers int) error {
	var all []error
	bad := func(format string, args ...any) { all = append(all, fmt.Errorf(want.Name+": "+format, args...)) }
	alter := "kafka-configs.sh --alter --entity-type topics --entity-name " + want.Name + " --add-config "
	if t.Partitions != want.Partitions {
		bad("%d partitions, not %d: it is not this installation's; replay into a new prefix", t.Partitions, want.Partitions)
	}
	for _, name := range []string{"cleanup.policy", "retention.ms", "retention.bytes"} {
		if value := t.Configs[name]; value != want.Configs[name] {
			bad("%s is %s: the log would lose what is still needed; %s%s=%s", name, value, alter, name, want.Configs[name])
		}
	}
	if brokers < 3 { // a machine to try things out
		return errors.Join(all...)
	}
	if t.Replication < 3 {
		bad("%d replicas: a broker that is lost takes records with it; kafka-reassign-partitions.sh gives it 3", t.Replication)
	}
	if t.InSync < t.Replication {
		bad("%d of %d replicas are in sync: see to the brokers", t.InSync, t.Replication)
	}
	if n, _ := strconv.Atoi(t.Configs["min.insync.replicas"]); n < 2 {
		bad("min.insync.replicas is %d: what is acknowledged may lie on one broker alone; %smin.insync.replicas=2", n, alter)
	}
	if t.Configs["unclean.leader.election.enable"] == "true" {
		bad("unclean.leader.election.enable is true: a broker that lags may become leader and drop records; %sunclean.leader.election.enable=false", alter)
	}
	if v := t.Configs["message.timestamp.type"]; v != "LogAppendTime" {
		bad("message.timestamp.type is %s: times in the log are those of producers' clocks; %smessage.timestamp.type=LogAppendTime", v, alter)
	}
	return errors.Join(all...)
}

// checkGroups tells whether the consumer groups may be seen.
func checkGroups(ctx context.Context, log *kafkalog.Client, prefix string) error {
	names := []string{schemas.SinkGroup(prefix)}
	for _, stage := range schemas.Stages {
		names = append(names, schemas.Group(prefix, stage))
	}
	var all []error
	for _, name := range names {
		_, err := log.Committed(ctx, name, map[string][]int{schemas.InKafka(prefix, schemas.Intake): {0}})
		all = append(all, err)
	}
	return errors.Join(all...)
}
