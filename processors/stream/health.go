package stream

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Health knows what the shared tasks of a process are at, for whoever asks whether it does its work. A nil *Health takes no note.
type Health struct {
	mu     sync.Mutex
	stages map[pb.Stage]map[int]*condition // nil: waiting for its share
}

// condition of a task that is this process's.
type condition struct {
	restoring time.Time // since when; zero: it folds
	stopped   error
}

// NewHealth knows of no stage yet.
func NewHealth() *Health { return &Health{stages: map[pb.Stage]map[int]*condition{}} }

// Problem tells everything that keeps the process from its work: a stage that has not been given its share of the tasks, tasks that
// are still being restored, tasks that stopped and why. No task at all is no problem: others have them.
func (h *Health) Problem() error {
	if h == nil {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []error
	for _, stage := range slices.Sorted(maps.Keys(h.stages)) {
		tasks := h.stages[stage]
		if tasks == nil {
			all = append(all, fmt.Errorf("stage %s waits for its share of the tasks", schemas.StageName(stage)))
		}
		for _, i := range slices.Sorted(maps.Keys(tasks)) {
			switch c := tasks[i]; {
			case c.stopped != nil:
				all = append(all, fmt.Errorf("task %s/%d stopped: %w", schemas.StageName(stage), i, c.stopped))
			case !c.restoring.IsZero():
				all = append(all, fmt.Errorf("task %s/%d restores, for %s", schemas.StageName(stage), i, time.Since(c.restoring).Round(time.Second)))
			}
		}
	}
	return errors.Join(all...)
}

// waits says that a stage has no share of the tasks: it joins the group, or others are coming or going.
func (h *Health) waits(stage pb.Stage) {
	h.note(func() { h.stages[stage] = nil })
}

// shares says which tasks of a stage are this process's.
func (h *Health) shares(stage pb.Stage, tasks []int) {
	h.note(func() {
		h.stages[stage] = map[int]*condition{}
		for _, i := range tasks {
			h.stages[stage][i] = &condition{restoring: time.Now()}
		}
	})
}

// folds says that a task has been restored.
func (h *Health) folds(stage pb.Stage, task int) {
	h.note(func() { *h.stages[stage][task] = condition{} })
}

// stops says that a task stands still because of err; nil: it is taken up once more.
func (h *Health) stops(stage pb.Stage, task int, err error) {
	h.note(func() { *h.stages[stage][task] = condition{restoring: time.Now(), stopped: err} })
}

func (h *Health) note(change func()) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}
