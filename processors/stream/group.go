package stream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// RunGroup shares the tasks of the stages with other processes, by a consumer group a stage, until ctx ends or a group cannot be
// joined. In a rebalance every task writes a checkpoint and pauses; where its owner stays it goes on with its state, elsewhere it
// is restored. A task that must stop (its log has lost something) stops alone: the others go on, and cfg.Health tells. It is tried
// again from time to time, in case somebody has mended what stopped it.
func RunGroup(ctx context.Context, cfg Config, stages []Stage) error {
	cfg.setDefaults()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	errs := make([]error, len(stages))
	for i, stage := range stages {
		m := &membership{cfg: cfg, stage: stage, lag: cfg.Log.Lag(schemas.Group(cfg.Prefix, stage.Name)), held: map[int]*task{}}
		wg.Go(func() {
			if err := m.run(ctx); err != nil {
				errs[i] = fmt.Errorf("stage %s: %w", schemas.StageName(stage.Name), err)
				stop()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// membership is the part a process has in one stage.
type membership struct {
	cfg   Config
	stage Stage
	lag   *kafkalog.Lag
	had   []int // tasks of the last generation

	mu   sync.Mutex    // guards held
	held map[int]*task // paused, with their state
}

func (m *membership) run(ctx context.Context) error {
	m.cfg.Health.waits(m.stage.Name)
	input := schemas.InKafka(m.cfg.Prefix, m.stage.Input)
	return m.cfg.Log.Join(ctx, kafkalog.GroupConfig{
		ID: schemas.Group(m.cfg.Prefix, m.stage.Name), Topics: []string{input}, SessionTimeout: m.cfg.SessionTimeout,
		Variant: variant(m.stage, m.cfg.Catalogue),
		Active: func(ctx context.Context) (string, error) {
			return Active(ctx, m.cfg.Log, m.cfg.Prefix, m.cfg.Partitions, m.stage.Name)
		},
	}, func(generation context.Context, g kafkalog.Generation) error {
		tasks := g.Partitions[input]
		m.cfg.Logger.Info("tasks of this process", "stage", schemas.StageName(m.stage.Name), "tasks", tasks, "generation", g.ID)
		m.lag.As(g.ID, g.Member)
		m.cfg.Health.shares(m.stage.Name, tasks)
		m.work(generation, tasks)
		m.cfg.Health.waits(m.stage.Name)
		if ctx.Err() == nil {
			m.cfg.hit("in-rebalance")
		}
		return nil
	})
}

// work runs the tasks of one generation, and keeps those that paused in order.
func (m *membership) work(ctx context.Context, tasks []int) {
	kept := m.held
	m.held = map[int]*task{}
	var wg sync.WaitGroup
	for _, i := range tasks {
		t := kept[i]
		wg.Go(func() {
			if t = m.tend(ctx, i, t); t != nil {
				m.mu.Lock()
				m.held[i] = t
				m.mu.Unlock()
			}
		})
	}
	for _, i := range m.had {
		if !slices.Contains(tasks, i) {
			m.cfg.Metrics.released(m.stage.Name, i)
		}
	}
	m.had = tasks
	wg.Wait()
	if len(tasks) == 0 {
		<-ctx.Done()
	}
}

// stoppedFor is how long a task that must stop stands still until it is tried again.
const stoppedFor = time.Minute

// tend works on task i until the generation ends, and returns it if it can go on from there. t is the task as it paused, nil if it
// must be restored.
func (m *membership) tend(ctx context.Context, i int, t *task) *task {
	log := m.cfg.Logger.With("stage", schemas.StageName(m.stage.Name), "task", i)
	defer m.cfg.Metrics.stopped(m.stage.Name, i, nil)
	for mayOpen := true; ; {
		var err error
		t, err = m.foldOn(ctx, i, t, mayOpen)
		switch {
		case err == nil:
			return t
		case ctx.Err() != nil:
			log.Info("gave up task in the middle; who takes it up goes on from its last checkpoint", "err", err)
			return nil
		case errors.Is(err, errSuperseded):
			// This process or the other was paused for longer than a session. Whoever still has the task at the next heartbeat goes on.
			log.Warn("restoring the task again", "err", err)
			mayOpen = false
			wait(ctx, time.Second)
		default:
			log.Error("task stopped; the others go on", "err", err, "tried_again_after", stoppedFor)
			m.cfg.Metrics.stopped(m.stage.Name, i, err)
			m.cfg.Health.stops(m.stage.Name, i, err)
			wait(ctx, stoppedFor)
		}
		t = nil
	}
}

// foldOn takes the task up again, or restores it if there is none, and folds until the generation ends.
func (m *membership) foldOn(ctx context.Context, i int, t *task, mayOpen bool) (*task, error) {
	if t != nil {
		if err := t.takeUpAgain(ctx); err != nil {
			return nil, err
		}
	} else {
		t = newTask(m.cfg, m.stage, i, m.lag)
		if err := t.restore(ctx, mayOpen); err != nil {
			return nil, fmt.Errorf("restore: %w", err)
		}
	}
	t.folds = func() {
		m.cfg.Metrics.stopped(m.stage.Name, i, nil)
		m.cfg.Health.folds(m.stage.Name, i)
	}
	return t, t.work(ctx)
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
