// Package broker is the Kafka broker of the one-command start: it lives inside this process, keeps its logs in a directory, and
// speaks the real protocol on a loopback port, so that everything left and right of it is the same as with a cluster.
//
// It is kfake of franz-go with a data directory. Records and committed offsets are written to the operating system before they are
// acknowledged, so they survive the death of the process (also kill -9); they are not synced one by one, so a loss of power can
// take the last of them, as with Kafka's own defaults.
//
// Five of its ways can lose data or leave it lying, and this package keeps away from them:
//
//   - it does not lock its directory, and two brokers in one directory destroy it: Start takes a lock;
//   - it deletes by age (seven days) as soon as any topic has a retention setting: Start turns that off for every topic
//     that does not ask for retention itself, and keeps committed offsets of idle groups for 68 years;
//   - a partition whose last segment was deleted begins again at offset 0 after a restart, below what its readers have
//     committed: Start refuses such a directory;
//   - on a full disk it acknowledges topics and offsets that it could not write: while little is free, nothing is taken (see room);
//   - a member of a consumer group that was killed while it joined stays in it for ever: its membership is ended (see members).
package broker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Config says where a broker keeps its logs and where it listens.
type Config struct {
	// Dir holds topics, logs and offsets; it is created if it is not there. One broker at a time may use it.
	Dir string
	// Listen is host:port; the host must be a loopback address (empty means 127.0.0.1), because nobody is asked for a
	// password. Port 0 takes a free port, which Addr then tells.
	Listen string
	// MinRoom is how many bytes of the disk must be free, so that records are taken; 0: 32 MiB.
	MinRoom int64
}

// Broker is a running broker. Topics are not made by writing to them: they must be created.
type Broker struct {
	cluster *kfake.Cluster
	lock    *os.File
	addr    string
	log     *logger
	close   func() error

	unwatch  context.CancelFunc // ends watching
	watching sync.WaitGroup
}

// Start opens the directory of cfg, with all that was acknowledged by an earlier broker in it, and listens. It fails if another
// broker holds the directory, if a partition in it has lost its data, or if the port is taken.
func Start(cfg Config) (*Broker, error) {
	addr, err := loopback(cfg.Listen)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	b := &Broker{lock: lock, log: &logger{to: slog.Default()}}
	b.close = sync.OnceValue(b.stop)
	if err := b.start(cfg, addr); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return b, nil
}

func (b *Broker) start(cfg Config, addr string) error {
	if err := refuseEmptied(cfg.Dir); err != nil {
		return err
	}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.ClusterID("corridorwatch"),
		kfake.DataDir(cfg.Dir),
		kfake.BrokerConfigs(keepEverything()),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) { return net.Listen(network, addr) }),
		kfake.WithLogger(b.log),
	)
	if err != nil {
		return fmt.Errorf("open broker in %s on %s: %w", cfg.Dir, addr, err)
	}
	r := &room{dir: cfg.Dir, min: cmp.Or(cfg.MinRoom, minRoom), log: b.log.to}
	for _, kind := range []kmsg.Key{kmsg.Produce, kmsg.CreateTopics} {
		cluster.ControlKey(kind.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			cluster.KeepControl()
			res, handled := r.guard(req)
			return res, nil, handled
		})
	}
	b.cluster, b.addr = cluster, cluster.ListenAddrs()[0]
	m := &members{addr: b.addr, log: b.log.to, groups: map[string]*group{}}
	m.watch(cluster)
	ctx, cancel := context.WithCancel(context.Background())
	b.unwatch = cancel
	b.watching.Go(func() { m.run(ctx) })
	return nil
}

// keepEverything is the broker configuration by which nothing is deleted that no one asked to delete.
func keepEverything() map[string]string {
	const minutes68Years = "35791394" // as milliseconds still within an int64, as seconds within an int32
	return map[string]string{
		"log.retention.ms":           "-1",
		"log.retention.bytes":        "-1",
		"offsets.retention.minutes":  minutes68Years,
		"default.replication.factor": "1",
	}
}

// Addr is the address clients dial, host:port.
func (b *Broker) Addr() string { return b.addr }

// Close stops listening, writes what speeds up the next start, and lets go of the directory. What was acknowledged is safe without
// it. Close may be called more than once.
func (b *Broker) Close() error { return b.close() }

func (b *Broker) stop() error {
	b.unwatch()
	b.watching.Wait()
	b.log.close()
	b.cluster.Close()
	return errors.Join(b.log.failure(), b.lock.Close())
}

// loopback checks and completes an address to listen on.
func loopback(listen string) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("address of the embedded broker: %w", err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("address of the embedded broker: %s is not a loopback address; the embedded broker asks nobody for a password, so it serves this machine only", host)
	}
	return net.JoinHostPort(host, port), nil
}

// lockDir makes dir if need be and takes its lock, which the system lets go of when the process ends, however it ends.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("directory of the embedded broker: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock of the embedded broker: %w", err)
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("directory %s is in use by another corridorwatch; stop that one, or choose another data directory: %w", dir, err), f.Close())
	}
	return f, nil
}
