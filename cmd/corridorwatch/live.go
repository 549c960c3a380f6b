package main

import (
	"log/slog"

	"github.com/spf13/cobra"
)

func liveCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "live",
		Short: "the HTTP front of an installation: takes events, keeps the clock, answers /api/v1, tells how the whole installation is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := enter(cmd.Context())
			if err != nil {
				return err
			}
			defer m.log.Close()
			w, err := newWatch(m)
			if err != nil {
				return err
			}
			feeds, srv, err := m.feeds(w.ready)
			if err != nil {
				return err
			}
			slog.Info("serving", "http", srv.addr(), "paths", "/v1/events /api/v1/ /livez /readyz /metrics")
			return runJobs(cmd.Context(), append([]job{{"watch", w.run}}, feeds...))
		},
	}
}
