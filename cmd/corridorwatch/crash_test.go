package main

import (
	"strconv"
	"strings"
	"syscall"
	"testing"

	"corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/kafkatest"
	"corridorwatch/internal/longtest"
)

// TestLongStoppedWhileIngesting stops the program, and kills it, in the middle of an ingest. Started again and sent the file once more, the
// views are those of a run that was not disturbed; on Apache Kafka as on the embedded broker.
func TestLongStoppedWhileIngesting(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	whole := newProgram(t)
	world := whole.world()
	s := whole.up("--time", "data")
	s.run("ingest", "--wait", world)
	want := s.views()
	s.stop(syscall.SIGTERM)
	disturb := func(t *testing.T, signal syscall.Signal, env ...string) {
		p := newProgram(t, append(env, envPrefix+"PREFIX=corridorwatch_"+signal.String())...)
		s := p.up("--time", "data")
		ingest := p.command("ingest", world)
		if err := ingest.Start(); err != nil {
			t.Fatal(err)
		}
		stored := 0
		until(t, "some of the events are stored", func() (bool, error) {
			var err error
			stored, err = strconv.Atoi(strings.TrimSpace(p.run("query", "--format", "TSV", "SELECT count() FROM train_events")))
			return stored > 200, err
		})
		s.stop(signal)
		t.Logf("%v with %d events stored", signal, stored)
		ingest.Process.Kill()
		ingest.Wait()
		s = p.up("--time", "data")
		s.run("ingest", "--wait", world)
		sameViews(t, signal.String(), s.views(), want)
	}
	brokers := envPrefix + "BROKERS=" + strings.Join(kafkatest.Start(t, 1).Brokers, ",")
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) { disturb(t, signal) })
		t.Run(signal.String()+", Apache Kafka", func(t *testing.T) { disturb(t, signal, brokers) })
	}
}

// TestLongIngestTooEarly: who sends while broker and ClickHouse are just being started waits for them.
func TestLongIngestTooEarly(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.Start(broker.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	p := newProgram(t, envPrefix+"BROKERS="+b.Addr())
	s := p.up("--time", "data")
	s.stop(syscall.SIGTERM)
	addr := b.Addr()
	b.Close()
	p.env = append(p.env, envPrefix+"CLICKHOUSE_LISTEN="+s.ClickHouse)
	cmd := p.command("ingest", "--wait", "../../testdata/khorgos/events.jsonl")
	cmd.Env = append(cmd.Env, envPrefix+"CLICKHOUSE="+s.ClickHouse)
	var output transcript
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if b, err = broker.Start(broker.Config{Dir: dir, Listen: addr}); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s = p.up("--time", "data")
	if err := cmd.Wait(); err != nil || !strings.Contains(output.String(), "stored after") {
		t.Errorf("%v\n%s", err, output.String())
	}
	s.stop(syscall.SIGTERM)
}
