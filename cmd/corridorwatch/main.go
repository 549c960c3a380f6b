// Command corridorwatch turns train positions and shipment events into live dwell times and border-crossing delays.
//
// Every subcommand is one file of this folder. This package is the only place that reads the environment.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the catalogue's time zones, also where the machine has none

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3".
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
	}()
	if err := root().ExecuteContext(ctx); err != nil {
		var code exitCode
		if errors.As(err, &code) {
			os.Exit(int(code))
		}
		fmt.Fprintln(os.Stderr, "corridorwatch:", err)
		os.Exit(1)
	}
}

// exitCode ends the program with a status and without a further message.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit status %d", int(c)) }

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "corridorwatch",
		Short:         "live dwell times and border-crossing delays for rail freight corridors",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.AddCommand(
		demoCmd(), upCmd(), simulateCmd(), acceptCmd(), auditCmd(), ingestCmd(), recomputeCmd(), replayCmd(), switchCmd(), queryCmd(), reportCmd(), backtestCmd(), rejectsCmd(), catalogCmd(), topicsCmd(), migrateCmd(),
		processCmd(), sinkCmd(), deliverCmd(), liveCmd(), embeddedCmd(),
		doctorCmd(), configCmd(), engineCmd(), versionCmd(),
	)
	return cmd
}

// setup reads the configuration and starts logging; every command begins with it.
func setup() (config, error) {
	cfg, err := loadConfig()
	if err != nil {
		return cfg, fmt.Errorf("configuration:\n%w", err)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return cfg, err
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, options)
	if cfg.LogFormat == "json" || cfg.LogFormat == "" && !isTerminal(os.Stderr) {
		handler = slog.NewJSONHandler(os.Stderr, options)
	}
	slog.SetDefault(slog.New(handler))
	return cfg, nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func versionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  cobra.NoArgs,
		Run:   func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "corridorwatch", version) },
	}
}
