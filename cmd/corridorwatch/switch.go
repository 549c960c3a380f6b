package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"corridorwatch/schemas/clickhouse"
)

func switchCmd() *cobra.Command {
	var back bool
	cmd := &cobra.Command{
		Use:   "switch PREFIX",
		Short: "let the analysts' views of this installation read the tables of another one, or their own again",
		Long: "Makes the v_ views of this installation's database read the tables of another prefix, such as one that 'replay' has filled. Queries that\n" +
			"run meanwhile see a view as it was or as it is. 'migrate' keeps to it. The other installation must go on by itself: start 'up',\n" +
			"or the roles, with CORRIDORWATCH_PREFIX=PREFIX.",
		Example: "  corridorwatch switch corridorwatch-2\n  corridorwatch switch --back",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if back == (len(args) == 1) {
				return errors.New("name the prefix to switch to, or give --back")
			}
			cfg, err := setup()
			if err != nil {
				return err
			}
			if cfg, err = cfg.find(); err != nil {
				return err
			}
			to := cfg.Prefix
			if !back {
				to = args[0]
			}
			return cfg.switchViews(cmd.Context(), to, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&back, "back", false, "to this installation's own tables")
	return cmd
}

// switchViews lets the views of this installation read the tables of another prefix.
func (c config) switchViews(ctx context.Context, prefix string, out io.Writer) error {
	other := c
	other.Prefix = prefix
	if err := clickhouse.Switch(ctx, c.clickhouse(), other.database()); err != nil {
		return err
	}
	fmt.Fprintf(out, "the views of database %s read the tables of %s\n", c.database(), other.database())
	return nil
}
