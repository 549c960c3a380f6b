package sink

import (
	"fmt"
	"slices"
	"strings"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// sender is a task that writes a partition, and the last of its records taken.
type sender struct {
	stage pb.Stage
	task  uint32
	epoch uint32
	seq   uint64
	mark  int64 // stage time the task has closed, ms; 0: not seen since the start
}

// senders are all tasks that write one partition.
type senders struct {
	stages []pb.Stage
	first  uint32 // task of the first sender of each stage
	tasks  uint32 // a stage
	from   []sender
	any    bool // takes all that is of no older epoch, whatever numbers are missing or there once more
}

// newSenders knows who writes partition index of topic: of topics that tasks own, one task of each writing stage, else all.
func newSenders(t schemas.Topic, index, partitions int) senders {
	s := senders{stages: t.Writers, tasks: uint32(partitions)}
	if t.Own {
		s.first, s.tasks = uint32(index), 1
	}
	for _, stage := range t.Writers {
		for i := range s.tasks {
			s.from = append(s.from, sender{stage: stage, task: s.first + i})
		}
	}
	return s
}

func (s *senders) find(stage pb.Stage, task uint32) *sender {
	i := slices.Index(s.stages, stage)
	if i < 0 || task < s.first || task >= s.first+s.tasks {
		return nil
	}
	return &s.from[i*int(s.tasks)+int(task-s.first)]
}

// load takes up the numbers that were stored.
func (s *senders) load(stored []sender) error {
	for _, old := range stored {
		now := s.find(old.stage, old.task)
		if now == nil {
			return fmt.Errorf("task %s/%d does not write here: the database belongs to an installation of another size", schemas.StageName(old.stage), old.task)
		}
		now.epoch, now.seq = old.epoch, old.seq
	}
	return nil
}

func (s *senders) copy() []sender { return slices.Clone(s.from) }

// take decides whether rec is new. Repetitions and what a superseded epoch still wrote are dropped; a gap is an error, since then
// the log has lost something.
func (s *senders) take(rec *pb.Record) (bool, error) {
	from := s.find(rec.Stage, rec.Task)
	if from == nil {
		return false, fmt.Errorf("record of task %s/%d, which does not write here: the topics belong to an installation of another size",
			schemas.StageName(rec.Stage), rec.Task)
	}
	due := from.seq + 1
	switch {
	case rec.Epoch < from.epoch:
		return false, nil
	case rec.Epoch > from.epoch:
		due = 1
	case rec.Seq < due:
		return s.any, nil
	}
	if rec.Seq != due && !s.any {
		return false, fmt.Errorf("sequence gap: task %s/%d epoch %d sent %d where %d was due: the log has lost records; "+
			"restore the topic or replay into a new prefix", schemas.StageName(rec.Stage), rec.Task, rec.Epoch, rec.Seq, due)
	}
	from.epoch, from.seq = rec.Epoch, rec.Seq
	if m, ok := rec.Body.(*pb.Record_Mark); ok {
		from.mark = max(from.mark, m.Mark)
	}
	return true, nil
}

// stageByName is stageName backwards; STAGE_NONE if there is none of that name.
func stageByName(name string) pb.Stage { return pb.Stage(pb.Stage_value[strings.ToUpper(name)]) }
