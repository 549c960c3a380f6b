package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"corridorwatch/internal/embedded/engine"
)

func engineCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "engine", Short: "fetch the embedded ClickHouse engine"}
	cmd.AddCommand(engineFetchCmd(), engineServeCmd())
	return cmd
}

func engineFetchCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "fetch",
		Short: "download the ClickHouse engine from npm into the user's cache directory, once",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			if lib, err := engine.Locate(cfg.ChdbLib); err == nil {
				fmt.Fprintln(os.Stderr, "ClickHouse engine:", lib)
				return nil
			}
			if cfg.ChdbLib != "" {
				return fmt.Errorf("CORRIDORWATCH_CHDB_LIB=%s: no engine there; mend the path, or unset it to fetch the engine from npm", cfg.ChdbLib)
			}
			dir, err := engine.CacheDir()
			if err != nil {
				return err
			}
			return engine.Fetch(cmd.Context(), dir, os.Stderr)
		},
	}
}

// engineServeCmd is the engine's own process; 'up' and 'demo' start it.
func engineServeCmd() *cobra.Command {
	var serve engine.ServeConfig
	cmd := &cobra.Command{
		Use:    "serve",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return engine.Serve(cmd.Context(), serve)
		},
	}
	cmd.Flags().StringVar(&serve.Lib, "lib", "", "libchdb.so")
	cmd.Flags().StringVar(&serve.DataDir, "data", "", "data directory")
	cmd.Flags().StringVar(&serve.Listen, "listen", "127.0.0.1:0", "address")
	return cmd
}
