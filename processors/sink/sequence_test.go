package sink

import (
	"strings"
	"testing"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

func topic(t *testing.T, name string) schemas.Topic {
	for _, topic := range schemas.Topics {
		if topic.Name == name {
			return topic
		}
	}
	t.Fatalf("no topic %s", name)
	return schemas.Topic{}
}

func TestTake(t *testing.T) {
	s := newSenders(topic(t, schemas.UnitEvents), 1, 4)
	for _, c := range []struct {
		stage pb.Stage
		task  uint32
		epoch uint32
		seq   uint64
		want  string // "" taken, "drop", or part of the error
	}{
		{pb.Stage_INTAKE, 0, 1, 1, ""},
		{pb.Stage_INTAKE, 0, 1, 1, "drop"},
		{pb.Stage_INTAKE, 3, 1, 1, ""}, // each task numbers for itself
		{pb.Stage_DWELL, 0, 1, 1, ""},
		{pb.Stage_DWELL, 0, 1, 2, ""},
		{pb.Stage_INTAKE, 0, 1, 3, "sent 3 where 2 was due"},
		{pb.Stage_INTAKE, 0, 2, 2, "sent 2 where 1 was due"},
		{pb.Stage_INTAKE, 0, 3, 1, ""},
		{pb.Stage_INTAKE, 0, 2, 1, "drop"},
		{pb.Stage_INTAKE, 0, 1, 2, "drop"},
		{pb.Stage_INTAKE, 0, 3, 2, ""},
		{pb.Stage_INTAKE, 4, 1, 1, "another size"},
		{pb.Stage_BORDER, 0, 1, 1, "another size"},
	} {
		fresh, err := s.take(&pb.Record{Stage: c.stage, Task: c.task, Epoch: c.epoch, Seq: c.seq})
		got := ""
		if err != nil {
			got = err.Error()
		} else if !fresh {
			got = "drop"
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s/%d epoch %d number %d: %q, want %q", c.stage, c.task, c.epoch, c.seq, got, c.want)
		}
	}
}

func TestSendersOfOwnTopics(t *testing.T) {
	s := newSenders(topic(t, schemas.Visits), 2, 4)
	if len(s.from) != 2 || s.find(pb.Stage_DWELL, 2) == nil || s.find(pb.Stage_BORDER, 2) == nil || s.find(pb.Stage_DWELL, 1) != nil {
		t.Errorf("senders of visits/2: %+v, want dwell/2 and border/2", s.from)
	}
	if err := s.load([]sender{{stage: pb.Stage_BORDER, task: 2, epoch: 4, seq: 9}}); err != nil {
		t.Fatal(err)
	}
	if fresh, err := s.take(&pb.Record{Stage: pb.Stage_BORDER, Task: 2, Epoch: 4, Seq: 10}); !fresh || err != nil {
		t.Errorf("the number after the stored one: %t, %v", fresh, err)
	}
	if err := s.load([]sender{{stage: pb.Stage_BORDER, task: 3}}); err == nil {
		t.Error("loaded the numbers of a task that does not write here")
	}
}

// TestTakeAll: who fills other tables takes what numbers are missing before, and what is there once more, but nothing of an epoch that
// was superseded before what is left of the log.
func TestTakeAll(t *testing.T) {
	s := newSenders(topic(t, schemas.Visits), 1, 4)
	s.any = true
	s.find(pb.Stage_DWELL, 1).epoch = 2
	for _, c := range []struct {
		epoch uint32
		seq   uint64
		want  bool
	}{{1, 7, false}, {2, 3, true}, {1, 8, false}, {2, 6, true}, {2, 4, true}, {2, 6, true}, {2, 7, true}, {3, 2, true}, {2, 8, false}} {
		if fresh, err := s.take(&pb.Record{Stage: pb.Stage_DWELL, Task: 1, Epoch: c.epoch, Seq: c.seq}); fresh != c.want || err != nil {
			t.Errorf("epoch %d number %d: %t, %v", c.epoch, c.seq, fresh, err)
		}
	}
}
