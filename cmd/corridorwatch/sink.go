package main

import (
	"context"

	"github.com/spf13/cobra"
)

func sinkCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "sink",
		Short: "carry an installation's events and results into ClickHouse, sharing the work with other such processes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := enter(cmd.Context())
			if err != nil {
				return err
			}
			defer m.log.Close()
			srv, err := m.serve(func(ctx context.Context) error { return m.answers(ctx, true) })
			if err != nil {
				return err
			}
			return runJobs(cmd.Context(), []job{
				{"http", srv.run},
				{"sink", func(ctx context.Context) error { return m.sink(ctx, nil) }},
			})
		},
	}
}
