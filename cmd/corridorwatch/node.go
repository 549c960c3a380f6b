package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/installation"
	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/border"
	"corridorwatch/processors/dwell"
	"corridorwatch/processors/intake"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/network"
)

// sweepEvery is how often the embedded broker's logs are cut below what every reader needs.
const sweepEvery = 30 * time.Second

// node is an installation in one process: all stages, the sink and the HTTP server, with the broker and the ClickHouse engine inside
// it unless others are given.
type node struct {
	cfg     config
	time    string // wall or data
	cat     *network.Catalog
	broker  *broker.Broker
	engine  *engine.Engine
	log     *kafkalog.Client
	metrics *prometheus.Registry
	began   time.Time
}

// startNode brings up everything that must stand before records can flow. Close ends it again.
func startNode(ctx context.Context, cfg config, timeMode string) (*node, error) {
	n := &node{cfg: cfg, time: timeMode, metrics: prometheus.NewRegistry(), began: time.Now()}
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := n.start(ctx); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) start(ctx context.Context) error {
	var err error
	if n.cat, err = n.cfg.catalogue(); err != nil {
		return err
	}
	if err := os.MkdirAll(n.cfg.DataDir, 0o755); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	replication := 0 // what the brokers do by default
	if len(n.cfg.Brokers) == 0 {
		if n.broker, err = broker.Start(broker.Config{Dir: filepath.Join(n.cfg.DataDir, "broker"), Listen: n.cfg.BrokerListen}); err != nil {
			return fmt.Errorf("start the embedded broker: %w", err)
		}
		n.cfg.Brokers, replication = []string{n.broker.Addr()}, 1
	}
	if n.cfg.ClickHouse == "" {
		if err := n.startEngine(ctx); err != nil {
			return err
		}
	}
	if n.log, err = n.cfg.dial(); err != nil {
		return err
	}
	choice := installation.Choice{Time: n.time, Partitions: n.cfg.Partitions}
	if err := installation.Open(ctx, n.log, n.cfg.Prefix, choice, replication); err != nil {
		return err
	}
	if err := clickhouse.Migrate(ctx, n.cfg.clickhouse(), n.cat); err != nil {
		return fmt.Errorf("migrate ClickHouse: %w", err)
	}
	return nil
}

func (n *node) startEngine(ctx context.Context) error {
	lib, err := engine.Locate(n.cfg.ChdbLib)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start the engine: %w", err)
	}
	n.engine, err = engine.Start(ctx, engine.Config{
		Exe: []string{self, "engine", "serve"}, Lib: lib, DataDir: filepath.Join(n.cfg.DataDir, "clickhouse"), Listen: n.cfg.ClickHouseListen,
	})
	if err != nil {
		return fmt.Errorf("start the ClickHouse engine: %w", err)
	}
	n.cfg.ClickHouse = n.engine.Addr()
	return nil
}

// close stops engine and broker, in this order: whoever writes has stopped before.
func (n *node) close() error {
	var errs []error
	if n.log != nil {
		errs = append(errs, n.log.Close())
	}
	if n.engine != nil {
		errs = append(errs, n.engine.Close())
	}
	if n.broker != nil {
		errs = append(errs, n.broker.Close())
	}
	return errors.Join(errs...)
}

// part is one part of a running node, with a context of its own, so that parts are stopped one after the other.
type part struct {
	name string
	stop context.CancelFunc
	done chan struct{}
}

// run lets sink, stages and feeds work until ctx ends or one of them fails. It stops them against the flow: first who feeds, then
// the stages, then the sink.
func (n *node) run(ctx context.Context, feeds ...func(context.Context) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	retention := installation.NewRetention(n.log, n.cfg.Prefix)
	start := func(name string, run func(context.Context) error) part {
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		p := part{name: name, stop: stop, done: make(chan struct{})}
		go func() {
			defer close(p.done)
			if err := run(own); err != nil && own.Err() == nil {
				fail(fmt.Errorf("%s: %w", name, err))
			}
		}()
		return p
	}
	var parts []part
	if n.broker != nil { // on others the settings of the topics say what is kept
		parts = append(parts, start("retention", func(ctx context.Context) error { retention.Run(ctx, sweepEvery); return nil }))
	}
	parts = append(parts,
		start("sink", func(ctx context.Context) error { return n.sink(ctx, retention) }),
		start("stages", func(ctx context.Context) error { return n.stages(ctx, retention) }),
	)
	for _, feed := range feeds {
		parts = append(parts, start("feed", feed))
	}
	var engineEnded <-chan struct{}
	if n.engine != nil {
		engineEnded = n.engine.Done()
	}
	select {
	case <-ctx.Done():
	case <-engineEnded:
		fail(fmt.Errorf("the ClickHouse engine ended: %w", n.engine.Err()))
	}
	for i := len(parts) - 1; i >= 0; i-- {
		parts[i].stop()
		<-parts[i].done
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (n *node) stages(ctx context.Context, retention *installation.Retention) error {
	return stream.Run(ctx, stream.Config{
		Log: n.log, Prefix: n.cfg.Prefix, Partitions: n.cfg.Partitions, Catalogue: n.cat.Hash(), CheckpointEvery: n.cfg.CheckpointEvery,
		Metrics: stream.NewMetrics(n.metrics), Needed: retention.StageNeeds,
	}, []stream.Stage{
		intake.Stage(n.cat, intake.Config{Wall: n.time == installation.Wall}),
		dwell.Stage(n.cat),
		border.Stage(n.cat),
	})
}

func (n *node) sink(ctx context.Context, retention *installation.Retention) error {
	conn, err := clickhouse.Open(ctx, n.cfg.clickhouse())
	if err != nil {
		return err
	}
	defer conn.Close()
	return sink.Run(ctx, sink.Config{
		Log: n.log, Conn: conn, Prefix: n.cfg.Prefix, Database: n.cfg.database(), Partitions: n.cfg.Partitions,
		Logger: slog.Default(), Stored: retention.SinkStored, Metrics: n.metrics,
	})
}
