package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/internal/progress"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

// replay runs the history of an installation into a new one beside it.
type replay struct {
	to         string // prefix
	from       string // kafka or tables
	partitions int    // of the new one; 0: as many as the old one has
	follow     bool
	feedOnly   bool
	switchTo   bool

	old    config
	log    *kafkalog.Client
	choice installation.Choice
}

func replayCmd() *cobra.Command {
	var r replay
	cmd := &cobra.Command{
		Use:   "replay --to PREFIX",
		Short: "run all of history into a new installation: for another partition count, catalogue or program",
		Long: "Runs the history of an installation into a new one under another prefix, on the same brokers and ClickHouse, at full speed, with the\n" +
			"stages and the sink of the new one in this process. What came late there is late here. Nothing of the old installation is touched.\n" +
			"Stopped and started again it goes on. See docs/recompute-and-replay.md.",
		Example: "  corridorwatch replay --to corridorwatch-2 --from tables --partitions 12 --switch",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if r.from != "kafka" && r.from != "tables" {
				return errors.New("--from is kafka or tables")
			}
			if r.old, r.log, r.choice, err = connect(cmd.Context()); err != nil {
				return err
			}
			defer r.log.Close()
			return r.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.to, "to", "", "prefix of the new installation")
	f.StringVar(&r.from, "from", "kafka", "kafka (the intake topic, every record as it came) or tables (the event tables, as it was accepted)")
	f.IntVar(&r.partitions, "partitions", 0, "partitions of the new installation; 0: as many as the old one has")
	f.BoolVar(&r.follow, "follow", false, "go on with what arrives in the old intake topic, until stopped")
	f.BoolVar(&r.feedOnly, "feed-only", false, "only fill the new intake topic; stages and sink of the new prefix run elsewhere")
	f.BoolVar(&r.switchTo, "switch", false, "in the end let the views of the old installation read the new tables")
	cobra.CheckErr(cmd.MarkFlagRequired("to"))
	return cmd
}

func (r *replay) run(ctx context.Context, out io.Writer) (err error) {
	cfg := r.old
	if cfg.Prefix, cfg.Partitions = r.to, r.partitions; cfg.Partitions == 0 {
		cfg.Partitions = r.choice.Partitions
	}
	if err := r.check(cfg); err != nil {
		return err
	}
	if err := r.create(ctx, cfg); err != nil {
		return err
	}
	n, err := startNode(ctx, cfg, r.choice.Time)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	began := time.Now()
	var records int64
	feed := func(ctx context.Context) (int64, error) {
		bar := progress.New(os.Stderr, "replay", "records", 0)
		defer bar.Done()
		return r.feed(ctx, n, func(done, total int64, at time.Time) {
			records = done
			bar.Total(total)
			bar.Set(done, "history of "+at.Format(time.DateTime))
		})
	}
	if r.feedOnly {
		_, err = feed(ctx)
	} else {
		err = r.process(ctx, n, feed)
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Fprintf(out, "replayed %d records into %q (%d partitions) in %s, %.0f/s\n", records, r.to, cfg.Partitions, took.Round(time.Millisecond), float64(records)/took.Seconds())
	if r.switchTo {
		return r.old.switchViews(context.WithoutCancel(ctx), r.to, out) // a replay that follows ends by being stopped
	}
	return nil
}

// storedUntil is the stage time up to which the tables of an installation hold what its stages wrote, 0 if one has not begun. What stages
// write that it does not have is none of its history.
func storedUntil(choice installation.Choice, marks map[string][]int64) int64 {
	until := int64(math.MaxInt64)
	for _, t := range schemas.Topics {
		if !sink.Sunk(t) || slices.ContainsFunc(t.Writers, func(s pb.Stage) bool { return !choice.Has(s) }) {
			continue
		}
		for p := range t.Partitions(choice.Partitions) {
			if p >= len(marks[t.Name]) {
				return 0
			}
			until = min(until, marks[t.Name][p])
		}
	}
	return until
}

// feed fills the new intake topic and returns the last tick it wrote.
func (r *replay) feed(ctx context.Context, n *node, progress func(done, total int64, at time.Time)) (int64, error) {
	to := ingest.NewWriter(n.log, n.cfg.Prefix, n.cfg.Partitions)
	kafka := &ingest.Replay{Log: r.log, Prefix: r.old.Prefix, Partitions: r.choice.Partitions, To: to, Follow: r.follow, Progress: progress}
	if r.from == "kafka" {
		err := kafka.Run(ctx, 0)
		if gone := new(ingest.BeginsLater); errors.As(err, &gone) {
			return 0, fmt.Errorf("%w; replay with --from tables", err)
		}
		return kafka.Until(), err
	}
	shards, err := clickhouse.OpenShards(r.old.clickhouse())
	if err != nil {
		return 0, err
	}
	defer shards.Close()
	marks, err := sink.Marks(ctx, shards, r.old.database(), r.choice.Partitions)
	if err != nil {
		return 0, err
	}
	until := storedUntil(r.choice, marks)
	if until == 0 {
		return 0, fmt.Errorf("no stage time has passed through the tables of %q: there is no history", r.old.Prefix)
	}
	tables := tableReplay{history: history{shards: shards, database: r.old.database(), tables: replayed, progress: progress}, to: to}
	if err := tables.run(ctx, until); err != nil || !r.follow {
		return until, err
	}
	err = kafka.Run(ctx, until)
	return kafka.Until(), err
}

// process runs stages and sink of the new installation until all that was fed is in its tables.
func (r *replay) process(ctx context.Context, n *node, feed func(context.Context) (int64, error)) error {
	done := errors.New("all is stored")
	err := n.run(ctx, job{"replay", func(ctx context.Context) error {
		until, err := feed(ctx)
		if err != nil || r.follow {
			return err
		}
		shards, err := clickhouse.OpenShards(n.cfg.clickhouse())
		if err != nil {
			return err
		}
		defer shards.Close()
		bar := progress.New(os.Stderr, "folding", "s of stage time", 0)
		defer bar.Done()
		for {
			stored, at, err := sink.Passed(ctx, shards, n.cfg.database(), until, n.cfg.Partitions)
			if err != nil {
				return err
			}
			bar.Set(0, fmt.Sprintf("stored up to %s of %s", time.UnixMilli(at).UTC().Format(time.DateTime), time.UnixMilli(until).UTC().Format(time.DateTime)))
			if stored {
				return done
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}})
	if errors.Is(err, done) {
		return nil
	}
	if err == nil && !r.follow {
		err = errors.New("stopped before the end; run it again to go on")
	}
	return err
}

// create creates the new installation. One that is there already must have been begun by a replay of the same.
func (r *replay) create(ctx context.Context, cfg config) error {
	have, err := installation.Read(ctx, r.log, cfg.Prefix)
	switch {
	case errors.Is(err, installation.ErrNone):
	case err != nil:
		return err
	case have.From != r.old.Prefix:
		return fmt.Errorf("there is an installation %q already, and it was not begun by a replay of %q: choose another prefix", cfg.Prefix, r.old.Prefix)
	default:
		slog.Info("the replay goes on where it was stopped", "prefix", cfg.Prefix)
	}
	return installation.Open(ctx, r.log, cfg.Prefix, installation.Choice{Time: r.choice.Time, Partitions: cfg.Partitions, From: r.old.Prefix}, 0)
}

// check refuses names and numbers that no installation can have.
func (r *replay) check(cfg config) error {
	switch {
	case !validPrefix(cfg.Prefix):
		return fmt.Errorf("--to %q: use lower-case letters, digits, _ and - only", cfg.Prefix)
	case cfg.database() == r.old.database():
		return errors.New("a replay never writes into existing tables: choose a new prefix")
	case cfg.Partitions < 1 || cfg.Partitions > 256:
		return fmt.Errorf("--partitions %d: choose 1 to 256", cfg.Partitions)
	}
	return nil
}
