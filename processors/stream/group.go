package stream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// RunGroup shares the tasks of the stages with other processes, by a consumer group a stage, until ctx ends or a group cannot be
// joined. In a rebalance every task writes a checkpoint and pauses; where its owner stays it goes on with its state, elsewhere it
// is restored. A task that must stop (its log has lost something) stops alone: the others go on, and Stopped tells.
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
				errs[i] = fmt.Errorf("stage %s: %w", stageName(stage.Name), err)
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

	mu   sync.Mutex    // guards held
	held map[int]*task // paused, with their state
}

func (m *membership) run(ctx context.Context) error {
	input := schemas.InKafka(m.cfg.Prefix, m.stage.Input)
	return m.cfg.Log.Join(ctx, kafkalog.GroupConfig{
		ID: schemas.Group(m.cfg.Prefix, m.stage.Name), Topics: []string{input}, SessionTimeout: m.cfg.SessionTimeout,
		Variant: variant(m.stage, m.cfg.Catalogue),
		Active: func(ctx context.Context) (string, error) {
			return Active(ctx, m.cfg.Log, m.cfg.Prefix, m.cfg.Partitions, m.stage.Name)
		},
	}, func(ctx context.Context, g kafkalog.Generation) error {
		m.cfg.Logger.Info("tasks of this process", "stage", stageName(m.stage.Name), "tasks", g.Partitions[input], "generation", g.ID)
		m.lag.As(g.ID, g.Member)
		m.work(ctx, g.Partitions[input])
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
		delete(kept, i)
		wg.Go(func() {
			if t = m.tend(ctx, i, t); t != nil {
				m.mu.Lock()
				m.held[i] = t
				m.mu.Unlock()
			}
		})
	}
	for i := range kept {
		m.cfg.Metrics.released(m.stage.Name, i)
	}
	wg.Wait()
	if len(tasks) == 0 {
		<-ctx.Done()
	}
}

// tend works on task i until the generation ends, and returns it if it can go on from there. t is the task as it paused, nil if it
// must be restored.
func (m *membership) tend(ctx context.Context, i int, t *task) *task {
	mayOpen := true
	for {
		var err error
		if t != nil {
			err = t.takeUpAgain(ctx)
		} else {
			t = newTask(m.cfg, m.stage, i, m.lag)
			err = t.restore(ctx, mayOpen)
		}
		if err == nil {
			err = t.work(ctx)
		}
		log := m.cfg.Logger.With("stage", stageName(m.stage.Name), "task", i)
		switch {
		case err == nil:
			return t
		case ctx.Err() != nil:
			log.Info("gave up task in the middle; who takes it up goes on from its last checkpoint", "err", err)
			return nil
		case errors.Is(err, errSuperseded):
			// This process or the other was paused for longer than a session. Whoever still has the task at the next heartbeat goes on.
			log.Warn("restoring the task again", "err", err)
			t, mayOpen = nil, false
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(time.Second):
			}
		default:
			log.Error("task stopped; the others go on", "err", err)
			m.cfg.stopped(m.stage, i, err)
			<-ctx.Done()
			m.cfg.stopped(m.stage, i, nil)
			return nil
		}
	}
}
