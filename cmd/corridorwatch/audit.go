package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"corridorwatch/internal/progress"
	"corridorwatch/processors/sink/audit"
	"corridorwatch/schemas/clickhouse"
)

func auditCmd() *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "hold the tables against the topics: nothing missing, nothing older, nothing else",
		Long: "Reads every topic that has tables from its beginning, checks that the sequence numbers of every task have no gap, fills a database\n" +
			"PREFIX_audit from what it reads, and compares: for every key the row with the highest version must be in the installation's own\n" +
			"tables too, with the same contents. What lies outside retention is named: its rows cannot be judged. Where a task's\n" +
			"numbers leap once within its first minute behind that, 'none known' is said: two processes that wrote the same task look like it,\n" +
			"and so does a loss. It runs beside a running installation, reads its topics and tables and changes neither; it takes as much room\n" +
			"in ClickHouse as the topics fill.\n" +
			"Exit status: 0 all is well, 1 something is wrong, 2 it could not judge.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			clean, err := runAudit(cmd.Context(), cmd.OutOrStdout(), keep)
			switch {
			case err != nil:
				fmt.Fprintln(os.Stderr, "corridorwatch: audit: could not judge:", err)
				return exitCode(2)
			case !clean:
				return exitCode(1)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the database PREFIX_audit, to look into it")
	return cmd
}

func runAudit(ctx context.Context, out io.Writer, keep bool) (clean bool, err error) {
	cfg, log, choice, err := connect(ctx)
	if err != nil {
		return false, err
	}
	defer log.Close()
	cat, err := cfg.catalogue()
	if err != nil {
		return false, err
	}
	// One replica of each shard, so that what is filled and what it is compared with lie on one server.
	target, err := cfg.clickhouse().OneReplica(ctx)
	if err != nil {
		return false, err
	}
	scratch := target
	scratch.Database += "_audit"
	scratch.TablesAlone = !keep // views are for who looks into it
	shards, err := clickhouse.OpenShards(target)
	if err != nil {
		return false, err
	}
	defer shards.Close()
	if !keep {
		defer func() { err = errors.Join(err, shards.DropDatabase(context.WithoutCancel(ctx), scratch.Database)) }()
	}
	bar := progress.New(os.Stderr, "audit", "records", 0)
	defer bar.Done()
	for attempt := 1; ; attempt++ {
		if err := shards.DropDatabase(ctx, scratch.Database); err != nil {
			return false, fmt.Errorf("drop what an earlier audit left: %w", err)
		}
		if err := clickhouse.Migrate(ctx, scratch, cat); err != nil {
			return false, fmt.Errorf("make the database %s: %w", scratch.Database, err)
		}
		var found bytes.Buffer
		clean, err := audit.Run(ctx, audit.Config{
			Log: log, Shards: shards, Prefix: cfg.Prefix, Partitions: choice.Partitions, Database: cfg.database(), Scratch: scratch.Database,
			Logger:   slog.Default(),
			Progress: func(what string, done, total int64) { bar.Set(done, fmt.Sprintf("%s of %d", what, total)) },
		}, &found)
		if errors.Is(err, audit.ErrCut) && attempt < auditAttempts {
			slog.Info("audit: begun anew, since retention deleted what it was reading", "attempt", attempt)
			continue
		}
		_, wrote := found.WriteTo(out)
		return clean, errors.Join(err, wrote)
	}
}

// auditAttempts is how often an audit is begun at most: an installation on the embedded broker deletes every 30 seconds what it need not
// keep, but each time there is less to read.
const auditAttempts = 5
