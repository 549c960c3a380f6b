package stream_test

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// An upgrade after an orderly stop tells the rows of the new logic, and deletes those it does not have.
func TestUpgradeRewritesRows(t *testing.T) {
	w := newWorld(t)
	p := w.launch("1", false, nil)
	w.produce(0, "a", "b", "tick 60000")
	w.produce(1, "a", "tick 60000")
	sameRows(t, alive(w.read(schemas.TrainStatus, 60000)), map[string]int64{"a1": 2, "b1": 1})
	p.stop()
	p = w.launch("2", false, nil)
	w.produce(0, "tick 120000")
	w.produce(1, "tick 120000")
	sameRows(t, alive(w.read(schemas.TrainStatus, 120000)), map[string]int64{"a2": 2, "b2": 1})
	p.stop()
}

// An upgrade after a crash also deletes what the older logic told beyond its last checkpoint; and once more if the upgrade crashes, at
// whatever point.
func TestUpgradeAfterCrash(t *testing.T) {
	for _, point := range []string{"after-produce", "before-checkpoint", "after-checkpoint", "in-restore"} {
		t.Run(point, func(t *testing.T) {
			w := newWorld(t)
			p := w.launch("1", false, nil)
			w.produce(0, "a", "tick 60000")
			w.produce(1, "b", "tick 60000")
			w.read(schemas.TrainStatus, 60000)
			p.stop()

			// It writes one checkpoint at once, and then none for long.
			var now, always atomic.Bool
			crashed := w.launch("1", false, func(cfg *stream.Config) {
				cfg.CheckpointEvery, cfg.Failpoint = time.Hour, dieAt("after-produce", &now)
			})
			w.produce(0, "tick 90000")
			w.produce(1, "tick 90000")
			w.read(schemas.TrainStatus, 90000)
			w.produce(0, "c", "tick 120000")
			w.produce(1, "a", "tick 120000")
			sameRows(t, alive(w.read(schemas.TrainStatus, 120000)), map[string]int64{"a1": 2, "b1": 1, "c1": 1})
			now.Store(true)
			if err := <-crashed.done; err != nil {
				t.Fatal(err)
			}
			always.Store(true)

			crashed = w.launch("2", false, func(cfg *stream.Config) { cfg.Failpoint = dieAt(point, &always) })
			if err := <-crashed.done; err != nil {
				t.Fatal(err)
			}
			p = w.launch("3", false, nil)
			w.produce(0, "tick 180000")
			w.produce(1, "d", "tick 180000")
			sameRows(t, alive(w.read(schemas.TrainStatus, 180000)), map[string]int64{"a3": 2, "b3": 1, "c3": 1, "d3": 1})
			p.stop()
		})
	}
}

// A process that dies while it opens an epoch may have written a checkpoint that arrives later. So the next one opens it in the same way,
// and sends the same records under the same numbers: after an orderly stop of the older version no marks before the first row.
func TestEpochOpenedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.launch("1", false, nil)
	w.produce(0, "a", "tick 60000")
	w.produce(1, "b", "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	p.stop()
	dead := make(chan bool, 10)
	crashed := w.launch("2", false, func(cfg *stream.Config) {
		cfg.Failpoint = func(at string) {
			if at == "before-checkpoint" {
				dead <- true
				runtime.Goexit()
			}
		}
	})
	for range partitions { // those of intake have opened nothing, and go on
		<-dead
	}
	if err := crashed.end(); err != nil {
		t.Fatal(err)
	}
	p = w.launch("2", false, nil)
	w.produce(0, "tick 120000")
	w.produce(1, "tick 120000")
	recs := w.read(schemas.TrainStatus, 120000)
	sameRows(t, alive(recs), map[string]int64{"a2": 1, "b2": 1})
	for _, r := range recs {
		if r.Epoch == 2 && r.GetMark() == 60000 {
			t.Errorf("task %d sends a mark of 60000 as %d: opened anew, as if the older version had not stopped in order", r.Task, r.Seq)
		}
	}
	p.stop()
}

// Two versions of the program at once: the newer one waits, without a task, until the last of the older is gone, and then the older
// ones wait.
func TestRollingUpgrade(t *testing.T) {
	w := newWorld(t)
	older := w.launch("1", true, nil)
	w.produce(0, "a", "tick 60000")
	w.produce(1, "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	newer := w.launch("2", true, nil)
	w.until("the newer version is a member, without tasks", func() bool { return newer.health.Problem() == nil && older.health.Problem() == nil })
	w.produce(0, "b", "tick 120000")
	w.produce(1, "tick 120000")
	sameRows(t, alive(w.read(schemas.TrainStatus, 120000)), map[string]int64{"a1": 1, "b1": 1})
	if n := newer.folds.Load(); n != 0 {
		t.Errorf("the newer version has taken up %d tasks beside the older one", n)
	}
	older.stop()
	w.produce(0, "tick 180000")
	w.produce(1, "c", "tick 180000")
	want := map[string]int64{"a2": 1, "b2": 1, "c2": 1}
	sameRows(t, alive(w.read(schemas.TrainStatus, 180000)), want)
	late := w.launch("1", true, nil)
	w.until("the older version is a member again", func() bool { return late.health.Problem() == nil && newer.health.Problem() == nil })
	w.produce(0, "tick 240000")
	w.produce(1, "tick 240000")
	sameRows(t, alive(w.read(schemas.TrainStatus, 240000)), want)
	if n := late.folds.Load(); n != 0 {
		t.Errorf("the older version has taken up %d tasks of the newer one", n)
	}
	late.stop()
	newer.stop()
}

// Of two versions that open the same epoch the first wins, and the other writes nothing.
func TestRaceForAnEpoch(t *testing.T) {
	w := newWorld(t)
	p := w.launch("1", false, nil)
	w.produce(0, "a", "tick 60000")
	w.produce(1, "tick 60000")
	w.read(schemas.TrainStatus, 60000)
	p.stop()
	arrived, goOn := make(chan bool, 10), make(chan bool)
	slow := w.launch("2", false, func(cfg *stream.Config) {
		cfg.Failpoint = func(at string) {
			if at == "in-restore" {
				arrived <- true
				<-goOn
			}
		}
	})
	for range 2 * partitions {
		<-arrived
	}
	fast := w.launch("3", false, nil)
	w.produce(0, "tick 120000")
	w.produce(1, "tick 120000")
	w.read(schemas.TrainStatus, 120000)
	fast.stop()
	close(goOn)
	slow.fails("another process has taken up this task")
	recs := w.read(schemas.TrainStatus, 120000)
	sameRows(t, alive(recs), map[string]int64{"a3": 1})
	for task := range partitions {
		epochs := map[uint32]string{}
		for _, c := range w.controls(pb.Stage_DWELL, task) {
			if c.GetSegment() != nil && epochs[c.Epoch] != "" && epochs[c.Epoch] != c.Variant {
				t.Errorf("task %d: two variants have written checkpoints of epoch %d", task, c.Epoch)
			}
			if c.GetSegment() != nil {
				epochs[c.Epoch] = c.Variant
			}
		}
	}
}
