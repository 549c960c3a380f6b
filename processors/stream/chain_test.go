package stream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// manyCheckpoints leaves an installation behind whose dwell tasks wrote whole checkpoints and changes, in several processes.
func manyCheckpoints(t *testing.T) *world {
	w := newWorld(t)
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprint("i", i))
	}
	w.produce(0, many...)
	now := 0
	for range 2 {
		p := w.launch("1", false, func(cfg *stream.Config) { cfg.WholeBytes = 1 })
		for range 4 {
			now += 60000
			w.produce(0, "a", fmt.Sprint("s", now), fmt.Sprint("tick ", now))
			w.produce(1, "b", fmt.Sprint("r", now), fmt.Sprint("tick ", now))
			w.read(schemas.TrainStatus, int64(now))
		}
		p.stop()
	}
	return w
}

// rewrite replaces what lies in the checkpoint partition of dwell/0.
func (w *world) rewrite(change func([]*pb.Control) []*pb.Control) {
	w.t.Helper()
	topic, partition := schemas.InKafka(prefix, schemas.Checkpoints), schemas.CheckpointPartition(pb.Stage_DWELL, 0, partitions)
	all := change(w.controls(pb.Stage_DWELL, 0))
	a := w.log.Appender(topic, partition)
	for _, c := range all {
		value, err := proto.Marshal(c)
		if err != nil {
			w.t.Fatal(err)
		}
		a.Append(nil, value)
	}
	_, end, err := w.log.Offsets(w.t.Context(), topic, partition)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.log.DeleteRecords(w.t.Context(), topic, partition, end); err != nil {
		w.t.Fatal(err)
	}
	if _, err := a.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// upTo cuts off what lies behind the last checkpoint that holds but changes, and returns the index of the n-th checkpoint from there.
func upTo(t *testing.T, all []*pb.Control, n int) ([]*pb.Control, int) {
	t.Helper()
	last := -1
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i].GetSegment()
		if s == nil {
			continue
		}
		c := new(pb.Checkpoint)
		if err := proto.Unmarshal(s.Data, c); err != nil {
			t.Fatal(err)
		}
		if last < 0 && c.Partial {
			last = i
		}
		if last >= 0 {
			if n--; n == 0 {
				return all[:last+1], i
			}
		}
	}
	t.Fatal("so many checkpoints are not there")
	return nil, 0
}

// Checkpoints that the log has lost or damaged stop the task, with what to do. What kills and slow requests leave behind does not.
func TestCheckpointChain(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*testing.T, []*pb.Control) []*pb.Control
	}{
		{"as it was", "", func(_ *testing.T, all []*pb.Control) []*pb.Control { return all }},
		{"one is missing", "where checkpoint", func(t *testing.T, all []*pb.Control) []*pb.Control {
			all, i := upTo(t, all, 2)
			return slices.Delete(all, i, i+1)
		}},
		{"one is damaged", "damaged (CRC)", func(t *testing.T, all []*pb.Control) []*pb.Control {
			all, i := upTo(t, all, 1)
			data := all[i].GetSegment().Data
			data[len(data)/2] ^= 1
			return all
		}},
		{"all are gone", "these are not there", func(_ *testing.T, all []*pb.Control) []*pb.Control {
			return slices.DeleteFunc(all, func(c *pb.Control) bool { return c.GetSegment() != nil })
		}},
		{"the last one is incomplete", "", func(t *testing.T, all []*pb.Control) []*pb.Control {
			all, i := upTo(t, all, 1)
			last := proto.CloneOf(all[i])
			last.GetSegment().Number++
			last.GetSegment().Parts = 2
			return append(all, last)
		}},
		{"one comes again, between the parts of another", "", func(t *testing.T, all []*pb.Control) []*pb.Control {
			all, i := upTo(t, all, 1)
			s := all[i].GetSegment()
			half := len(s.Data) / 2
			one, two := proto.CloneOf(all[i]), proto.CloneOf(all[i])
			one.GetSegment().Parts, two.GetSegment().Parts, two.GetSegment().Part = 2, 2, 1
			one.GetSegment().Data, two.GetSegment().Data = s.Data[:half], s.Data[half:]
			_, k := upTo(t, all, 3)
			again := proto.CloneOf(all[k])
			return append(all[:i], one, again, one, two, one)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := manyCheckpoints(t)
			w.rewrite(func(all []*pb.Control) []*pb.Control { return c.change(t, all) })
			p := w.launch("1", false, nil)
			if c.want != "" {
				p.fails("task dwell/0: restore: checkpoints/", c.want)
				return
			}
			w.produce(0, "a", "tick 600000")
			w.produce(1, "b", "tick 600000")
			rows := alive(w.read(schemas.TrainStatus, 600000))
			if rows["a1"] != 9 || rows["b1"] != 9 || len(rows) != 68 {
				t.Errorf("got %v", rows)
			}
			p.stop()
		})
	}
}

// Checkpoints that were lost altogether would let a task begin its numbers again under an epoch that nobody takes any more.
func TestCheckpointsLost(t *testing.T) {
	w := newWorld(t)
	for i, logic := range []string{"1", "2"} {
		p := w.launch(logic, false, nil)
		tick := fmt.Sprint("tick ", (i+1)*60000)
		w.produce(0, "a", tick)
		w.produce(1, tick)
		w.read(schemas.TrainStatus, int64((i+1)*60000))
		p.stop()
	}
	w.recreate(schemas.Checkpoints)
	p := w.launch("2", false, nil)
	p.fails("holds records that this task wrote in epoch 2: the topic of the checkpoints was lost")
}

// An input that was cut or replaced stops the task.
func TestInputLost(t *testing.T) {
	for _, c := range []struct {
		name, want string
		lose       func(w *world)
	}{
		{"cut beyond the checkpoint", "the checkpoint goes on at offset 3, but intake/0 holds 5 to 5: the log was cut or replaced", func(w *world) {
			w.produce(0, "b", "tick 120000")
			if err := w.log.DeleteRecords(t.Context(), schemas.InKafka(prefix, schemas.Intake), 0, 5); err != nil {
				t.Fatal(err)
			}
		}},
		{"shorter than the checkpoint", "the checkpoint goes on at offset 3, but intake/0 holds 0 to 1: the log was cut or replaced", func(w *world) {
			w.recreate(schemas.Intake)
			w.produce(0, "x")
		}},
		{"another", "intake/0 holds another batch at 0 than the one folded", func(w *world) {
			w.recreate(schemas.Intake)
			w.produce(0, "x", "y", "z", "tick 60000")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			p := w.launch("1", false, nil)
			w.produce(0, "a", "a", "tick 60000")
			w.produce(1, "tick 60000")
			w.read(schemas.TrainStatus, 60000)
			p.stop()
			c.lose(w)
			p = w.launch("1", true, nil)
			w.until("the task stops", func() bool {
				err := p.health.Problem()
				return err != nil && strings.Contains(err.Error(), "intake/0 stopped")
			})
			if err := p.health.Problem(); !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			p.stop()
		})
	}
}
