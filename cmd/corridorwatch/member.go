package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/delay"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
)

// member is what every process of an installation has, whatever its part.
type member struct {
	cfg     config
	time    string // wall or data
	cat     *network.Catalog
	log     *kafkalog.Client
	metrics *prometheus.Registry
}

func newMember(cfg config, timeMode string) member {
	m := member{cfg: cfg, time: timeMode, metrics: prometheus.NewRegistry()}
	m.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// enter makes this process a member of an installation that is there already. It waits for the brokers.
func enter(ctx context.Context) (*member, error) {
	cfg, err := setup()
	if err != nil {
		return nil, err
	}
	if cfg, err = cfg.find(); err != nil {
		return nil, err
	}
	m := newMember(cfg, "")
	if m.cat, err = cfg.catalogue(); err != nil {
		return nil, err
	}
	if m.log, err = cfg.dial(); err != nil {
		return nil, err
	}
	if err := m.awaitBrokers(ctx); err != nil {
		return nil, errors.Join(err, m.log.Close())
	}
	choice, err := installation.Read(ctx, m.log, cfg.Prefix)
	if err != nil {
		return nil, errors.Join(err, m.log.Close())
	}
	if err := choice.Check(cfg.Prefix); err != nil {
		return nil, errors.Join(err, m.log.Close())
	}
	m.time, m.cfg.Partitions = choice.Time, choice.Partitions
	m.introduce()
	return &m, nil
}

// introduce tells in the metrics which installation the process belongs to, and what makes its time pass: only in wall time must stage
// time keep up with the clock.
func (m *member) introduce() {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "corridorwatch_installation_info",
		Help: "1, with the installation's prefix and what makes its time pass: wall or data."}, []string{"prefix", "time"})
	info.WithLabelValues(m.cfg.Prefix, m.time).Set(1)
	m.metrics.MustRegister(info)
}

// awaitBrokers returns once a broker answers. What time does not mend, such as a wrong password, is an error.
func (m *member) awaitBrokers(ctx context.Context) error {
	for {
		err := m.log.Ping(ctx)
		if err == nil || ctx.Err() != nil || errors.As(err, new(*kafkalog.BrokerError)) {
			return err
		}
		slog.Warn("waiting for the brokers (CORRIDORWATCH_BROKERS names others)", "brokers", m.cfg.Brokers, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// stageNames are those of all stages, in the order of the flow.
func stageNames() []string { return []string{"intake", "dwell", "border", "delay"} }

// stages are those of the given names.
func (m *member) stages(names []string) []stream.Stage {
	make := map[string]func() stream.Stage{
		"intake": func() stream.Stage { return intake.Stage(m.cat, intake.Config{Wall: m.time == installation.Wall}) },
		"dwell":  func() stream.Stage { return dwell.Stage(m.cat) },
		"border": func() stream.Stage { return border.Stage(m.cat) },
		"delay":  func() stream.Stage { return delay.Stage(m.cat) },
	}
	var out []stream.Stage
	for _, name := range names {
		out = append(out, make[name]())
	}
	return out
}

func (m *member) streamConfig() stream.Config {
	return stream.Config{
		Log: m.log, Prefix: m.cfg.Prefix, Partitions: m.cfg.Partitions, Catalogue: m.cat.Hash(), CheckpointEvery: m.cfg.CheckpointEvery,
		SessionTimeout: m.cfg.SessionTimeout, Metrics: stream.NewMetrics(m.metrics), Failpoint: m.cfg.failpoint(),
	}
}

// sink runs the sink, alone or sharing the work. change completes its configuration.
func (m *member) sink(ctx context.Context, run func(context.Context, sink.Config) error, change func(*sink.Config)) error {
	shards, err := clickhouse.OpenShards(m.cfg.clickhouse())
	if err != nil {
		return err
	}
	defer shards.Close()
	cfg := sink.Config{
		Log: m.log, Shards: shards, Quorum: m.cfg.quorum(), Prefix: m.cfg.Prefix, Database: m.cfg.database(), Partitions: m.cfg.Partitions,
		Logger: slog.Default(), Metrics: m.metrics, Failpoint: m.cfg.failpoint(),
	}
	change(&cfg)
	return run(ctx, cfg)
}

// serve makes the HTTP server of a role that takes no events.
func (m *member) serve(ready func(context.Context) error) (*server, error) {
	srv, err := newServer(m.cfg.HTTPListen, m.metrics, ready, nil)
	if err == nil {
		slog.Info("serving", "http", srv.addr(), "paths", "/livez /readyz /metrics")
	}
	return srv, err
}

// answers tells whether the brokers and, if asked for, ClickHouse answer.
func (m *member) answers(ctx context.Context, clickhouse bool) error {
	if err := m.log.Ping(ctx); err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	if !clickhouse {
		return nil
	}
	_, err := m.cfg.queryRows(ctx, "SELECT 1")
	return err
}
