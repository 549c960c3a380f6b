package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/installation"
	"corridorwatch/processors/deliver"
)

func doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "check everything the program needs, a line each, with what to do",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), 30*time.Second)
			defer cancel()
			return diagnose(ctx, cmd.OutOrStdout())
		},
	}
}

func diagnose(ctx context.Context, out io.Writer) error {
	bad := 0
	line := func(what string, err error, ok string) {
		if err != nil {
			bad++
			fmt.Fprintf(out, "  bad  %-13s %v\n", what, err)
			return
		}
		fmt.Fprintf(out, "  ok   %-13s %s\n", what, ok)
	}
	cfg, err := setup()
	line("settings", err, "see 'corridorwatch config print'")
	if err != nil {
		return exitCode(1)
	}
	cfg, err = cfg.find()
	line("addresses", err, fmt.Sprintf("broker %v, ClickHouse %s", cfg.Brokers, cfg.ClickHouse))
	cat, err := cfg.catalogue()
	if err == nil {
		line("catalogue", nil, fmt.Sprintf("%d places, %d borders, hash %.12s", len(cat.Places), len(cat.Borders), cat.Hash()))
		channels, err := cfg.channels(cat)
		line("alerts", err, toldBy(channels))
	} else {
		line("catalogue", err, "")
	}
	lib, err := engine.Locate(cfg.ChdbLib)
	line("engine", err, lib)

	log, err := cfg.dial()
	if err == nil {
		defer log.Close()
		err = log.Ping(ctx)
	}
	line("broker", err, "answers")
	if err == nil {
		choice, err := installation.Read(ctx, log, cfg.Prefix)
		line("installation", err, fmt.Sprintf("%q, %d partitions, %s time", cfg.Prefix, choice.Partitions, choice.Time))
		if err == nil {
			kept, err := checkTopics(ctx, log, cfg.Prefix, choice.Partitions)
			line("topics", err, kept)
			line("groups", checkGroups(ctx, log, cfg.Prefix), "may be seen")
		}
	}
	rows, err := cfg.queryRows(ctx, "SELECT version()")
	version := ""
	if err == nil && len(rows) == 1 {
		version = rows[0][0]
	}
	line("ClickHouse", err, version)
	if bad > 0 {
		return exitCode(1)
	}
	return nil
}

// toldBy says who is told of alerts.
func toldBy(channels []deliver.Channel) string {
	if len(channels) == 0 {
		return "nobody is told, " + envPrefix + "ALERTS_FILE is empty"
	}
	return "go to " + strings.Join(names(channels), ", ")
}
