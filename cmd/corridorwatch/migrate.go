package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"corridorwatch/schemas/clickhouse"
)

// clickhouse says how to reach the installation's database.
func (c config) clickhouse() clickhouse.Config {
	return clickhouse.Config{
		Addr: c.ClickHouse, TLS: c.clickTLS, User: c.ClickUser, Password: string(c.ClickPass), Database: c.database(),
		Cluster: c.ClickCluster,
	}
}

// quorum is how many replicas must have an insert; empty where there are none.
func (c config) quorum() string {
	if !strings.Contains(c.ClickHouse, ",") {
		return ""
	}
	return cmp.Or(c.ClickQuorum, "auto")
}

func migrateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "bring the ClickHouse tables and views to this program's version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := setup()
			if err != nil {
				return err
			}
			if cfg, err = cfg.find(); err != nil {
				return err
			}
			cat, err := cfg.catalogue()
			if err != nil {
				return err
			}
			if err := clickhouse.Migrate(cmd.Context(), cfg.clickhouse(), cat); err != nil {
				return err
			}
			have, _, err := clickhouse.Version(cmd.Context(), cfg.clickhouse())
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "database %s at version %d\n", cfg.database(), have)
			return nil
		},
	}
}
