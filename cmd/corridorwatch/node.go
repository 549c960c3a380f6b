package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/embedded/engine"
	"corridorwatch/internal/installation"
	"corridorwatch/processors/deliver"
	"corridorwatch/processors/sink"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/clickhouse"
)

// sweepEvery is how often the embedded broker's logs are cut below what every reader needs.
const sweepEvery = 30 * time.Second

// node is an installation in one process: all stages, the sink and the HTTP server, with the broker and the ClickHouse engine inside
// it unless others are given.
type node struct {
	member
	broker *broker.Broker
	engine *engine.Engine
	began  time.Time
	told   []deliver.Channel // who is told of alerts; nobody but in 'up'
}

// startNode brings up everything that must stand before records can flow. Close ends it again.
func startNode(ctx context.Context, cfg config, timeMode string) (*node, error) {
	n := &node{member: newMember(cfg, timeMode), began: time.Now()}
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
	n.introduce()
	if len(n.cfg.Brokers) == 0 || n.cfg.ClickHouse == "" {
		n.metrics.MustRegister(freeDisk(n.cfg.DataDir))
	}
	if len(n.cfg.Brokers) == 0 {
		if n.broker, err = broker.Start(broker.Config{Dir: filepath.Join(n.cfg.DataDir, "broker"), Listen: n.cfg.BrokerListen}); err != nil {
			return fmt.Errorf("start the embedded broker: %w", err)
		}
		n.cfg.Brokers = []string{n.broker.Addr()}
	}
	if n.cfg.ClickHouse == "" {
		if err := n.startEngine(ctx); err != nil {
			return err
		}
	}
	if n.log, err = n.cfg.dial(); err != nil {
		return err
	}
	replication, err := replicas(ctx, n.log, 0)
	if err != nil {
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

// freeDisk measures how much room the data of embedded broker and engine have left.
func freeDisk(dir string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "corridorwatch_embedded_disk_free_bytes",
		Help: "Bytes free where embedded broker and engine keep their data; the broker takes nothing below 32 MiB. NaN: not known."},
		func() float64 {
			var s syscall.Statfs_t
			if err := syscall.Statfs(dir, &s); err != nil {
				return math.NaN()
			}
			return float64(int64(s.Bavail) * s.Bsize)
		})
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

// run lets sink, stages and feeds work until ctx ends or one of them fails. It stops them against the flow: first who feeds, then
// the stages, then the sink.
func (n *node) run(ctx context.Context, feeds ...job) error {
	retention := installation.NewRetention(n.log, n.cfg.Prefix, names(n.told)...)
	jobs := n.watchEngine()
	if n.broker != nil { // on others the settings of the topics say what is kept
		jobs = append(jobs, job{"retention", func(ctx context.Context) error { retention.Run(ctx, sweepEvery); return nil }})
	}
	if len(n.told) > 0 {
		jobs = append(jobs, job{"deliver", func(ctx context.Context) error { return n.deliver(ctx, n.told, retention.ChannelNeeds) }})
	}
	jobs = append(jobs,
		job{"sink", func(ctx context.Context) error {
			return n.sink(ctx, sink.Run, func(cfg *sink.Config) { cfg.Stored = retention.SinkStored })
		}},
		job{"stages", func(ctx context.Context) error {
			cfg := n.streamConfig()
			cfg.Needed = retention.StageNeeds
			return stream.Run(ctx, cfg, n.stages(stageNames()))
		}},
	)
	return runJobs(ctx, append(jobs, feeds...))
}

// watchEngine is a job that fails when the embedded engine, a process of its own, ends by itself.
func (n *node) watchEngine() []job {
	if n.engine == nil {
		return nil
	}
	return []job{{"engine", func(ctx context.Context) error {
		select {
		case <-ctx.Done():
			return nil
		case <-n.engine.Done():
			return fmt.Errorf("the ClickHouse engine ended: %w", n.engine.Err())
		}
	}}}
}
