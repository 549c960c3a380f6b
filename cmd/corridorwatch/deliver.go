package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/spf13/cobra"

	"corridorwatch/processors/delay"
	"corridorwatch/processors/deliver"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/clickhouse/stored"
	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

func deliverCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "deliver",
		Short: "tell people of alerts by the channels of CORRIDORWATCH_ALERTS_FILE, sharing the work with other such processes",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := enter(cmd.Context())
			if err != nil {
				return err
			}
			defer m.log.Close()
			channels, err := m.cfg.channels(m.cat)
			if err != nil {
				return err
			}
			if len(channels) == 0 {
				return errors.New("nobody is to be told: name a file with channels in CORRIDORWATCH_ALERTS_FILE (docs/alerts.md)")
			}
			srv, err := m.serve(func(ctx context.Context) error { return m.answers(ctx, true) })
			if err != nil {
				return err
			}
			return runJobs(cmd.Context(), []job{
				{"http", srv.run},
				{"deliver", func(ctx context.Context) error { return m.deliver(ctx, channels, nil) }},
			})
		},
	}
}

// channels are those of the settings; none where none are named.
func (c config) channels(cat *network.Catalog) ([]deliver.Channel, error) {
	if c.AlertsFile == "" {
		return nil, nil
	}
	channels, err := deliver.Load(c.AlertsFile)
	if err != nil {
		return nil, fmt.Errorf("%sALERTS_FILE: %w", envPrefix, err)
	}
	return channels, c.known(channels, cat)
}

// known makes sure that what channels want can come: a name that nobody bears would keep alerts from people for ever.
func (c config) known(channels []deliver.Channel, cat *network.Catalog) error {
	borders, corridors := map[string]bool{}, map[string]bool{}
	for _, b := range cat.Borders {
		borders[b.ID] = true
	}
	for _, k := range cat.Corridors {
		corridors[k.ID] = true
	}
	kinds := map[string]bool{}
	for _, k := range delay.Kinds() {
		kinds[k] = true
	}
	var all []error
	for _, ch := range channels {
		for _, of := range []struct {
			what  string
			wants []string
			there map[string]bool
		}{{"border", ch.Wants.Borders, borders}, {"corridor", ch.Wants.Corridors, corridors}, {"kind", ch.Wants.Kinds, kinds}} {
			for _, name := range of.wants {
				if !of.there[name] {
					all = append(all, fmt.Errorf("%s: channel %q: there is no %s %q; there are %s", c.AlertsFile, ch.Name, of.what, name,
						strings.Join(slices.Sorted(maps.Keys(of.there)), ", ")))
				}
			}
		}
	}
	return errors.Join(all...)
}

// names are those of channels.
func names(channels []deliver.Channel) (out []string) {
	for _, c := range channels {
		out = append(out, c.Name)
	}
	return out
}

// deliver tells of alerts until ctx ends. done may be nil.
func (m *member) deliver(ctx context.Context, channels []deliver.Channel, done func(channel string, partition int, offset int64)) error {
	shards, err := clickhouse.OpenShards(m.cfg.clickhouse())
	if err != nil {
		return err
	}
	defer shards.Close()
	return deliver.Run(ctx, deliver.Config{
		Log: m.log, Prefix: m.cfg.Prefix, Partitions: m.cfg.Partitions, Channels: channels, SessionTimeout: m.cfg.SessionTimeout,
		Logger: slog.Default(), Metrics: deliver.NewMetrics(m.metrics), Done: done,
		Begin: func(ctx context.Context, partitions []int) ([]deliver.Notice, map[int]int64, error) {
			return m.firing(ctx, shards, partitions)
		},
	})
}

// firing reads which alerts of some partitions fire, and from where on the log tells what the tables do not know.
func (m *member) firing(ctx context.Context, shards []driver.Conn, partitions []int) (firing []deliver.Notice, next map[int]int64, err error) {
	next, err = sink.Offsets(ctx, shards, m.cfg.database(), schemas.Alerts) // before the rows: what they know more comes twice
	if err != nil {
		return nil, nil, err
	}
	for _, p := range partitions {
		if _, stored := next[p]; !stored {
			if next[p], _, err = m.log.Offsets(ctx, schemas.InKafka(m.cfg.Prefix, schemas.Alerts), p); err != nil {
				return nil, nil, fmt.Errorf("look at the topic of the alerts: %w", err)
			}
		}
	}
	err = stored.Alerts(ctx, shards, m.cfg.database(), "firing", nil, func(a *pb.Alert) error {
		if slices.Contains(partitions, schemas.Partition(a.Area, m.cfg.Partitions)) {
			firing = append(firing, deliver.NewNotice(a))
		}
		return nil
	})
	return firing, next, err
}
