package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
)

// TestLongReplay replays an installation of 4 partitions into others of 6, from Kafka and from its tables: with late events, of which some
// were recomputed and some wait, and with rejects. The views equal those of the first run. One replay is killed in the middle and run
// again. Then the views are switched, and back.
func TestLongReplay(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	p := keepsAll(t)
	early, late := split(t, p.world())
	s := p.up("--time", "data")
	s.run("ingest", "--beyond", "96h", early, "../../ingest/testdata/mixed.jsonl")
	s.run("ingest", "--wait", late)
	run := strings.TrimSpace(s.run("query", "--format", "TSV", "SELECT min(run) FROM v_train_status WHERE late_events > 0"))
	t.Log(s.run("recompute", run))
	want := s.viewsOf(s.Prefix)
	if n := strings.TrimSpace(s.run("query", "--format", "TSV", "SELECT countIf(late_events > 0) FROM v_train_status")); n == "0" {
		t.Error("no late events are left: this shows less than it should")
	}

	for _, from := range []string{"kafka", "tables"} {
		t.Run(from, func(t *testing.T) {
			to := "again_" + from
			args := []string{"replay", "--to", to, "--from", from, "--partitions", "6"}
			if from == "tables" {
				s.killed(t, to, args)
			}
			t.Log(s.run(args...))
			sameViews(t, from, s.viewsOf(to), want)
			if _, err := s.try("replay", "--to", to, "--from", from, "--partitions", "4"); err == nil {
				t.Error("a replay into an installation of another size was not refused")
			}
		})
	}
	if _, err := s.try("replay", "--to", s.Prefix); err == nil || !strings.Contains(err.Error(), "new prefix") {
		t.Errorf("a replay into the installation itself: %v", err)
	}

	t.Run("follow", func(t *testing.T) {
		cmd := s.command("replay", "--to", "again_tables", "--from", "tables", "--partitions", "6", "--follow")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s.run("ingest", "--wait", "--beyond", "300h", "../../testdata/khorgos/events.jsonl")
		want := s.viewsOf(s.Prefix)
		until(t, "what arrives in the old installation arrives in the new", func() (bool, error) {
			diff := clickhouse.Diff(want, s.viewsOf("again_tables"), 1)
			return diff == "", errors.New(diff)
		})
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})

	t.Run("switch", func(t *testing.T) {
		count := func() string {
			return strings.TrimSpace(s.run("query", "--format", "TSV", "SELECT count() FROM v_visits"))
		}
		before := count()
		s.run("query", "INSERT INTO again_tables.visits (unit, unit_kind, journey, place, n, version) VALUES ('X', 'train', 'X', 'kz-dostyk', 1, 1)")
		s.run("switch", "again_tables")
		if n, _ := strconv.Atoi(before); count() != strconv.Itoa(n+1) {
			t.Errorf("%s visits before the switch, %s after", before, count())
		}
		s.run("migrate")
		if n, _ := strconv.Atoi(before); count() != strconv.Itoa(n+1) {
			t.Errorf("%s visits before the switch, %s after a migration", before, count())
		}
		s.run("switch", "--back")
		if count() != before {
			t.Errorf("%s visits before the switch, %s after the way back", before, count())
		}
	})
}

// keepsAll is a program with a broker of the test, which deletes nothing: the embedded one would cut the intake topic within 30 seconds.
func keepsAll(t *testing.T) *program {
	t.Helper()
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	return newProgram(t, envPrefix+"BROKERS="+strings.Join(broker.ListenAddrs(), ","))
}

// TestLongReplayOfWallTime: the ticks of the clock are replayed as they were, and afterwards the clock of the new installation goes on.
func TestLongReplayOfWallTime(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	p := keepsAll(t)
	s := p.up()
	var events strings.Builder
	for i, place := range []string{"kz-altynkol", "cn-khorgos", "cn-urumqi"} {
		at := time.Now().Add(time.Duration(i-9) * time.Hour).UTC().Format(time.RFC3339)
		fmt.Fprintf(&events, `{"specversion":"1.0","type":"train.arrived","source":"s","id":"%d","subject":"KTZ:1:2026-03-01","time":"%s","data":{"place":"%s"}}`+"\n", i, at, place)
	}
	file := filepath.Join(p.dir, "events.jsonl")
	if err := os.WriteFile(file, []byte(events.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s.run("ingest", "--wait", file)
	t.Log(s.run("replay", "--to", "two"))
	got, want := s.viewsOf("two"), s.viewsOf(s.Prefix)
	for _, view := range []string{"v_events", "v_legs", "v_crossings"} {
		if diff := clickhouse.Diff(map[string][]string{view: want[view]}, map[string][]string{view: got[view]}, 3); diff != "" || len(want[view]) == 0 {
			t.Errorf("%d rows, wanted and got\n%s", len(want[view]), diff)
		}
	}
	s.stop(syscall.SIGTERM)
	two := *p
	two.env = append(two.env, envPrefix+"PREFIX=two")
	two.up() // is ready once stage time is that of the clock
}

// killed starts a replay and kills it when some of its events are stored.
func (s *service) killed(t *testing.T, to string, args []string) {
	t.Helper()
	cmd := s.command(args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "some of the replay is stored", func() (bool, error) {
		out, err := s.try("query", "--format", "TSV", "SELECT count() FROM "+to+".train_events")
		if err != nil {
			return false, err // not created yet
		}
		n, err := strconv.Atoi(strings.TrimSpace(out))
		return n > 200, err
	})
	cmd.Process.Signal(syscall.SIGKILL)
	if err := cmd.Wait(); err == nil {
		t.Log("the replay had ended already")
	} else if !errors.As(err, new(*exec.ExitError)) {
		t.Error(err)
	}
}

// viewsOf are what the stages wrote into a database.
func (s *service) viewsOf(database string) map[string][]string {
	s.t.Helper()
	conn, err := clickhouse.Open(s.t.Context(), clickhouse.Config{Addr: s.ClickHouse, Database: database})
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	views, err := clickhouse.Dump(s.t.Context(), conn, database, clickhouse.StoredViews)
	if err != nil {
		s.t.Fatal(err)
	}
	return views
}

// TestLongReplayedAlerts: replayed from the beginning, from Kafka or from the tables, into another number of partitions, the same alerts are told
// at the same stage times: every version of each, with a closure that was lifted under the id it was declared under.
func TestLongReplayedAlerts(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	p := keepsAll(t)
	s := p.up("--time", "data")
	for name, events := range map[string]string{"closed.jsonl": closed, "opened.jsonl": opened} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(events), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run("ingest", "--wait", "--beyond", "30h", filepath.Join(p.dir, "closed.jsonl"))
	s.run("ingest", "--wait", "--beyond", "30h", filepath.Join(p.dir, "opened.jsonl"))
	history := func(database string) string { // known_at is the round, of which a replay from tables has fewer
		return s.run("query", "--format", "TSV", "SELECT * EXCEPT (version, known_at) FROM "+database+".alerts_history FINAL ORDER BY updated, fingerprint")
	}
	want := history(s.Prefix)
	if !strings.Contains(want, "closure|khorgos") || strings.Count(want, "\n") < 3 {
		t.Fatalf("this shows too little: %s", want)
	}
	for _, from := range []string{"kafka", "tables"} {
		s.run("replay", "--to", "again_"+from, "--from", from, "--partitions", "6")
		if got := history("again_" + from); got != want {
			t.Errorf("from %s was told\n%s\nat first\n%s", from, got, want)
		}
	}
}
