package main

import (
	"testing"

	"corridorwatch/internal/installation"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// An installation created before the delay stage has a history, though nothing of that stage lies in its tables.
func TestStoredUntil(t *testing.T) {
	marks := map[string][]int64{}
	for _, topic := range schemas.Topics {
		if sink.Sunk(topic) && topic.Writers[0] != pb.Stage_DELAY {
			marks[topic.Name] = []int64{70, 60}
		}
	}
	old := installation.Choice{Partitions: 2}
	if got := storedUntil(old, marks); got != 60 {
		t.Errorf("of one without the delay stage: %d, want 60", got)
	}
	now := installation.Choice{Partitions: 2, Stages: []string{"intake", "dwell", "border", "delay"}}
	if got := storedUntil(now, marks); got != 0 {
		t.Errorf("of one whose delay stage has written nothing: %d, want 0", got)
	}
	for _, topic := range []string{schemas.CrossingDelays, schemas.DelayStats, schemas.Alerts} {
		marks[topic] = []int64{50, 80}
	}
	if got := storedUntil(now, marks); got != 50 {
		t.Errorf("of one with it: %d, want 50", got)
	}
}
