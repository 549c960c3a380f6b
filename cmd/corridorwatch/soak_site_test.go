package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/caarlos0/env/v11"
	"github.com/segmentio/kafka-go"

	"corridorwatch/internal/installation"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

// site is an installation that things are done to: 'up', or a fleet of two 'process' and two 'sink', each with a file that can tell it
// where to die.
type site struct {
	*fleet
	l     leg
	c     cluster
	roles map[string]*role // by name: "process 1"; all of a fleet
}

func newSite(t *testing.T, j *journal, l leg, c cluster, dir string) *site {
	t.Helper()
	p := newProgramIn(t, dir)
	ports := freePorts(t, 2)
	p.env = append(append(p.env, security()...),
		fmt.Sprintf("%sBROKER_LISTEN=127.0.0.1:%d", envPrefix, ports[0]), fmt.Sprintf("%sCLICKHOUSE_LISTEN=127.0.0.1:%d", envPrefix, ports[1]),
		envPrefix+"BROKERS="+c.brokers, envPrefix+"CLICKHOUSE="+c.clickhouse, fmt.Sprintf("%sPREFIX=%s_%d", envPrefix, j.Prefix, l.Number),
		envPrefix+"CHECKPOINT_EVERY=200ms")
	p.logs = filepath.Join(dir, "logs")
	if err := os.MkdirAll(p.logs, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &site{fleet: &fleet{service: &service{program: p}}, l: l, c: c, roles: map[string]*role{}}
	p.env = append(p.env, envPrefix+"FAILPOINT="+s.pointFile(theUp))
	t.Cleanup(s.tellLogs)
	if l.Ground == onGiven {
		s.remove() // what an interrupted leg has left
	}
	s.startBase()
	if l.Fleet {
		for _, name := range []string{"process 1", "process 2", "sink 1", "sink 2"} {
			s.startRole(name)
		}
	}
	return s
}

// security is what a reader's own clusters ask for.
func security() (out []string) {
	for _, e := range os.Environ() {
		if strings.HasPrefix(e, envPrefix+"KAFKA_") || strings.HasPrefix(e, envPrefix+"CLICKHOUSE_") && !strings.HasPrefix(e, envPrefix+"CLICKHOUSE_LISTEN") {
			out = append(out, e)
		}
	}
	return out
}

// startBase starts 'up', or what a fleet stands on.
func (s *site) startBase() {
	s.t.Helper()
	s.launchBase()
	if s.cmd != nil {
		s.awaitAddresses()
	}
}

func (s *site) launchBase() {
	s.t.Helper()
	switch {
	case !s.l.Fleet:
		s.service = s.launch("--time", "data")
	case s.c.clickhouse == "":
		s.service = s.launchAs("embedded", "--time", "data")
	default:
		s.run("topics", "apply", "--time", "data", "--replication", "0")
		s.run("migrate")
	}
}

func (s *site) startRole(name string) {
	s.t.Helper()
	command, _, _ := strings.Cut(name, " ")
	s.roles[name] = s.startAs(name, command, envPrefix+"FAILPOINT="+s.pointFile(name))
}

func (s *site) names() []string { return slices.Sorted(maps.Keys(s.roles)) }

func (s *site) pointFile(name string) string {
	return filepath.Join(s.dir, strings.ReplaceAll(name, " ", "-")+".failpoint")
}

// arm tells a process to die when it comes to a point.
func (s *site) arm(name, point string, hit int) {
	s.t.Helper()
	file := s.pointFile(name)
	err := os.WriteFile(file+".new", fmt.Appendf(nil, "%s:%d", point, hit), 0o644)
	if err == nil {
		err = os.Rename(file+".new", file)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// disarm takes that back, and tells whether it did: the process may have come there.
func (s *site) disarm(name string) bool { return os.Remove(s.pointFile(name)) == nil }

// config is what the program's processes run with.
func (p *program) config() config {
	p.t.Helper()
	cfg, err := env.ParseAsWithOptions[config](env.Options{Prefix: envPrefix, Environment: env.ToMap(p.env)})
	if err == nil {
		cfg, err = cfg.find()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return cfg
}

func (p *program) connect() driver.Conn {
	p.t.Helper()
	conn, err := clickhouse.Open(p.t.Context(), p.config().clickhouse())
	if err != nil {
		p.t.Fatal(err)
	}
	return conn
}

// end stops everything in order, and removes the installation from clusters that stay.
func (s *site) end() {
	s.t.Helper()
	for _, r := range s.roles {
		r.signal(syscall.SIGTERM)
	}
	if s.cmd != nil {
		s.stop(syscall.SIGTERM)
	}
	if s.l.Ground == onGiven {
		s.remove()
	}
	if *stateDir != "" {
		os.RemoveAll(s.dir)
	}
}

// remove deletes topics, groups and database of the installation.
func (s *site) remove() {
	s.t.Helper()
	cfg := s.config()
	mechanism, err := cfg.sasl()
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &kafka.Transport{TLS: cfg.kafkaTLS, SASL: mechanism}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: transport, Timeout: 30 * time.Second}
	ctx := context.WithoutCancel(s.t.Context())
	var topics []string
	for _, spec := range installation.Specs(cfg.Prefix, cfg.Partitions, 1) {
		topics = append(topics, spec.Name)
	}
	if _, err := client.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: topics}); err != nil {
		s.t.Fatal(err)
	}
	groups := []string{schemas.SinkGroup(cfg.Prefix)}
	for _, stage := range []pb.Stage{pb.Stage_INTAKE, pb.Stage_DWELL, pb.Stage_BORDER, pb.Stage_DELAY} {
		groups = append(groups, schemas.Group(cfg.Prefix, stage))
	}
	if _, err := client.DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: groups}); err != nil {
		s.t.Fatal(err)
	}
	if s.c.clickhouse == "" {
		return
	}
	cfgCH := cfg.clickhouse()
	cfgCH.Database = "default"
	conn, err := clickhouse.Open(ctx, cfgCH)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+cfg.database()); err != nil {
		s.t.Fatal(err)
	}
}

// tellLogs tells the end of every process's log, if the leg failed.
func (s *site) tellLogs() {
	if !s.t.Failed() {
		return
	}
	files, _ := filepath.Glob(filepath.Join(s.logs, "*"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			s.t.Log(err)
			continue
		}
		lines := strings.Split(string(text), "\n")
		last := lines[max(0, len(lines)-25):]
		for i, line := range last {
			last[i] = line[:min(len(line), 400)]
		}
		s.t.Logf("%s, the last of %d lines:\n%s", file, len(lines), strings.Join(last, "\n"))
	}
}

// logFile is where a process's standard error is written too, if the program keeps logs.
func (p *program) logFile(name string) io.Writer {
	if p.logs == "" {
		return io.Discard
	}
	f, err := os.OpenFile(filepath.Join(p.logs, strings.ReplaceAll(name, " ", "-")+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { f.Close() })
	return f
}
