package stream

import (
	"fmt"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// dest is one partition a task writes to, and the number of the last record it wrote there.
type dest struct {
	topic     string
	partition int
	seq       uint64
}

// sent holds the destinations of a task in a fixed order: topics as the stage names them, partitions ascending.
type sent struct {
	dests      []dest
	first      map[string]int // index of a topic's first destination
	own        map[string]bool
	partitions int
}

func newSent(outputs []string, partitions, index int) sent {
	s := sent{first: map[string]int{}, own: map[string]bool{}, partitions: partitions}
	for _, name := range outputs {
		s.first[name] = len(s.dests)
		if ownPartition(name) {
			s.own[name] = true
			s.dests = append(s.dests, dest{topic: name, partition: index})
			continue
		}
		for p := range partitions {
			s.dests = append(s.dests, dest{topic: name, partition: p})
		}
	}
	return s
}

// ownPartition tells whether a task writes only the partition of its own number, as into all result topics.
func ownPartition(topic string) bool {
	for _, t := range schemas.Topics {
		if t.Name == topic {
			return t.Own
		}
	}
	return false
}

func (s *sent) dest(topic, key string) *dest {
	i, ok := s.first[topic]
	if !ok {
		return nil
	}
	if !s.own[topic] {
		i += schemas.Partition(key, s.partitions)
	}
	return &s.dests[i]
}

// received is what a task knows of the tasks that write its input partition.
type received struct {
	stages     []pb.Stage
	partitions int
	from       []sender // stages in order, tasks ascending
}

type sender struct {
	epoch uint32
	seq   uint64
	mark  int64
}

func newReceived(stages []pb.Stage, partitions int) received {
	return received{stages: stages, partitions: partitions, from: make([]sender, len(stages)*partitions)}
}

func (r *received) sender(stage pb.Stage, task uint32) *sender {
	for i, s := range r.stages {
		if s == stage && int(task) < r.partitions {
			return &r.from[i*r.partitions+int(task)]
		}
	}
	return nil
}

// take decides whether rec is new. Repetitions and what a superseded epoch still wrote are dropped; a gap is an error, since then
// the log lost something.
func (r *received) take(rec *pb.Record) (bool, error) {
	s := r.sender(rec.Stage, rec.Task)
	if s == nil {
		return false, fmt.Errorf("record of task %s/%d, which does not write here: the topics belong to an installation of another size",
			schemas.StageName(rec.Stage), rec.Task)
	}
	switch {
	case rec.Epoch < s.epoch:
		return false, nil
	case rec.Epoch > s.epoch:
		if rec.Seq != 1 {
			return false, gapError(rec, 1)
		}
		s.epoch, s.seq = rec.Epoch, 0
	case rec.Seq <= s.seq:
		return false, nil
	}
	if rec.Seq != s.seq+1 {
		return false, gapError(rec, s.seq+1)
	}
	s.seq = rec.Seq
	if m, ok := rec.Body.(*pb.Record_Mark); ok {
		s.mark = max(s.mark, m.Mark)
	}
	return true, nil
}

// gap says that records of a task are missing in the log.
type gap struct {
	stage      pb.Stage
	task       uint32
	epoch      uint32
	sent, want uint64
}

func gapError(rec *pb.Record, want uint64) error {
	return &gap{rec.Stage, rec.Task, rec.Epoch, rec.Seq, want}
}

func (g *gap) Error() string {
	return fmt.Sprintf("sequence gap: task %s/%d epoch %d sent %d where %d was due: the log has lost records; restore the topic "+
		"or replay into a new prefix", schemas.StageName(g.stage), g.task, g.epoch, g.sent, g.want)
}

// stageTime is the minimum over the last marks of all upstream tasks, 0 until each has sent one.
func (r *received) stageTime() int64 {
	now := r.from[0].mark
	for _, s := range r.from[1:] {
		now = min(now, s.mark)
	}
	return now
}
