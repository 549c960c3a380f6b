package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/ingest"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/progress"
	"corridorwatch/schemas/clickhouse"
)

func recomputeCmd() *cobra.Command {
	var late bool
	var file string
	cmd := &cobra.Command{
		Use:   "recompute [RUN|UNIT...]",
		Short: "fold all that is stored of some runs or units anew, with what came too late",
		Long: "Sends everything that is stored of a run, wagon or container through intake to the task that owns it, which folds it anew and tells\n" +
			"what changes. Events that came more than 72 hours late count from then on. Returns when the tables show the result. Run again it\n" +
			"changes nothing more; it can be stopped at any time.",
		Example: "  corridorwatch recompute --late\n  corridorwatch recompute KTZ:7084-087-1306:2026-03-01 TGHU1234562",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			if file != "" {
				more, err := linesOf(file)
				if err != nil {
					return err
				}
				args = append(args, more...)
			}
			if late == (len(args) > 0) {
				return errors.New("name runs or units, or give --late for all with events that came too late")
			}
			cfg, log, choice, err := connect(ctx)
			if err != nil {
				return err
			}
			defer log.Close()
			cat, err := cfg.catalogue()
			if err != nil {
				return err
			}
			shards, err := clickhouse.OpenShards(cfg.clickhouse())
			if err != nil {
				return err
			}
			defer shards.Close()
			r := &recomputer{
				shards: shards, database: cfg.database(), cat: cat, partitions: choice.Partitions, dataTime: choice.Time == installation.Data,
				writer: ingest.NewWriter(log, cfg.Prefix, choice.Partitions),
			}
			return r.run(ctx, args, late, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&late, "late", false, "all runs and units with events that came too late")
	cmd.Flags().StringVar(&file, "from-file", "", "a file with a run or unit a line; - is standard input")
	return cmd
}

func linesOf(path string) (lines []string, err error) {
	var in io.Reader = os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("open the list of subjects: %w", err)
		}
		defer f.Close()
		in = f
	}
	scan := bufio.NewScanner(in)
	for scan.Scan() {
		if line := strings.TrimSpace(scan.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, scan.Err()
}

// atOnce is how many subjects are recomputed together: each of these steps waits for a tick or two.
const atOnce = 100

// shown is how many subjects get a line of their own.
const shown = 20

// run recomputes the named subjects, or all that have late events.
func (r *recomputer) run(ctx context.Context, names []string, late bool, out io.Writer) error {
	subjects, err := r.subjects(ctx, names, late)
	if err != nil {
		return err
	}
	if len(subjects) == 0 {
		fmt.Fprintln(out, "no events came too late: there is nothing to recompute")
		return nil
	}
	began := time.Now()
	bar := progress.New(os.Stderr, "recompute", "runs and units", int64(len(subjects)))
	defer bar.Done()
	var all changes
	done := 0
	for some := range slices.Chunk(subjects, atOnce) {
		c, err := r.recompute(ctx, some, func(doing string) { bar.Set(int64(done), doing) })
		if err != nil {
			return fmt.Errorf("%w (%d of %d were done before; run it again to go on)", err, done, len(subjects))
		}
		done += len(some)
		bar.Set(int64(done), "")
		if len(subjects) <= shown {
			c.print(out, some)
		}
		all.add(c)
	}
	fmt.Fprintf(out, "%d recomputed in %s: %s\n", len(subjects), time.Since(began).Round(time.Millisecond), all.total())
	return nil
}
