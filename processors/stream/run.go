package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// Config is what every task of a process shares.
type Config struct {
	Log        *kafkalog.Client
	Prefix     string // of the installation: topic "visits" is "<prefix>.visits"
	Partitions int    // of the installation
	Catalogue  string // hash of the catalogue the folds were made with

	// SessionTimeout is how long a process that shares tasks with others may be silent until they take over; 6 s when zero.
	SessionTimeout time.Duration

	// CheckpointEvery is how long a task folds before it writes its state, 5 s when zero. Large states are written less often,
	// so that writing them takes at most a tenth of the time.
	CheckpointEvery time.Duration
	// WholeBytes is the size up to which a state is written whole each time; 1 MiB when zero. Of a larger one the changes are written.
	WholeBytes int

	Logger  *slog.Logger // slog.Default() when nil
	Metrics *Metrics     // may be nil

	// Needed, if set, is told from which offset of an input partition on this process still needs the log (to restore its
	// second-last checkpoint). What lies below may be deleted once every other reader agrees.
	Needed func(topic string, partition int, offset int64)

	Health *Health // of shared tasks; may be nil

	// Progress, if set, is told how far a long piece of work is ("restore"), of how many records; at its end done is total. nil: the
	// log is, every few seconds.
	Progress func(what, stage string, task int, done, total int64)

	// Failpoint, if set, is called at named points of the work, for tests that let the process die there: after-produce,
	// before-checkpoint, after-checkpoint, in-restore, in-rebalance.
	Failpoint func(name string)
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.CheckpointEvery == 0 {
		c.CheckpointEvery = 5 * time.Second
	}
	if c.WholeBytes == 0 {
		c.WholeBytes = 1 << 20
	}
}

func (c *Config) hit(name string) {
	if c.Failpoint != nil {
		c.Failpoint(name)
	}
}

// Run runs all tasks of the stages in this process until ctx ends or one of them fails. It then stops every task, each with a
// last checkpoint, and returns nil or what failed first.
func Run(ctx context.Context, cfg Config, stages []Stage) error {
	cfg.setDefaults()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	var wg sync.WaitGroup
	errs := make(chan error, len(stages)*cfg.Partitions)
	for _, stage := range stages {
		lag := cfg.Log.Lag(schemas.Group(cfg.Prefix, stage.Name))
		for i := range cfg.Partitions {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := newTask(cfg, stage, i, lag).run(ctx); err != nil {
					err = fmt.Errorf("task %s/%d: %w", schemas.StageName(stage.Name), i, err)
					errs <- err
					stop(err)
				}
			}()
		}
	}
	wg.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}
