package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/pb"
)

// TestLongBacktest: over the whole history of a simulated world the alerts that would have fired with the settings of the program are those
// that did, version by version at the same stage times; a stricter threshold lets more trains be overdue, and nothing that was told changes.
func TestLongBacktest(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	world := filepath.Join(s.dir, "world.jsonl")
	s.run("simulate", "--corridors", "khorgos-aktau", "--days", "5", "--trains", "16", "--feeds", "CN=reports,KZ=reports", "--refusals", "0.3", "--out", world)
	closure := filepath.Join(s.dir, "closure.jsonl")
	there := strings.NewReplacer(`"cn-khorgos"`, `"cn-alashankou"`, `"kz-altynkol"`, `"kz-dostyk"`, `"khorgos"`, `"dostyk"`, `"kz-zhetygen"`, `"kz-aktogay"`)
	if err := os.WriteFile(closure, []byte(there.Replace(closed+opened)), 0o644); err != nil {
		t.Fatal(err)
	}
	s.run("ingest", "--wait", world, closure)
	s.matchDelays("max(delay_usual_s) > 0 AND min(delay_usual_s) < 0 FROM v_crossing_delays")
	before := s.run("query", "--format", "TSV", "SELECT * FROM alerts_history ORDER BY ALL")
	all := []string{"backtest", "--from", "2026-03-01", "--format", "json"}

	same := s.backtest(all...)
	kinds := map[string]int{}
	for _, c := range same.Alerts {
		kinds[c.Kind]++
		if c.Verdict != sameAlert {
			t.Errorf("%s: %s\nwould %+v\ndid %+v", c.Verdict, c.Fingerprint, c.Would, c.Did)
		}
	}
	if told := strings.Count(before, "\n"); versions(same.Alerts, would) != told || told < 5 || len(kinds) < 2 {
		t.Errorf("%d versions, the installation told %d, of kinds %v", versions(same.Alerts, would), told, kinds)
	}

	stricter := filepath.Join(s.dir, "stricter.yaml")
	if err := os.WriteFile(stricter, []byte("overdue: {fire: 1.1, at_least: 30m}\nlife.wide_after: 10m # as it is\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := s.backtest(append(all, "--settings", stricter)...)
	if want := []changedSetting{{"overdue.fire", "1.1", "1.5"}, {"overdue.at_least", "30m", "2h"}}; !slices.Equal(other.Settings, want) {
		t.Errorf("settings %v, want %v", other.Settings, want)
	}
	if versions(other.Alerts, did) != versions(same.Alerts, did) {
		t.Errorf("%d versions are told to have fired, before %d", versions(other.Alerts, did), versions(same.Alerts, did))
	}
	earlier, more := 0, 0
	for _, c := range other.Alerts {
		switch {
		case c.Kind != "overdue":
		case c.Verdict == newAlert:
			more++
		case c.Verdict == missingAlert:
			t.Errorf("with a lower threshold %s does not fire", c.Fingerprint)
		case c.Would.Fired.Before(c.Did.Fired):
			earlier++
		case c.Would.Fired.After(c.Did.Fired):
			t.Errorf("with a lower threshold %s fires later", c.Fingerprint)
		}
	}
	if more == 0 || earlier == 0 {
		t.Errorf("with a lower threshold %d more trains are overdue, and %d earlier", more, earlier)
	}
	if after := s.run("query", "--format", "TSV", "SELECT * FROM alerts_history ORDER BY ALL"); after != before {
		t.Error("a backtest changed what was told")
	}

	if _, err := s.try("backtest", "--to", "2027-01-01"); err == nil || !strings.Contains(err.Error(), "complete up to 2026-03-") {
		t.Errorf("a time beyond the history: %v", err)
	}
}

func (s *service) backtest(args ...string) (r backtested) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(s.run(args...)), &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

func would(c compared) *episode { return c.Would }
func did(c compared) *episode   { return c.Did }

func versions(all []compared, of func(compared) *episode) (n int) {
	for _, c := range all {
		if e := of(c); e != nil {
			n += e.Versions
		}
	}
	return n
}

// TestBacktestCompared: what would have fired is set beside what fired at the same time; what began before is told where the other began within it.
func TestBacktestCompared(t *testing.T) {
	t.Parallel()
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	alert := func(unit string, revision uint32, severity string, updated time.Time, firing bool) *pb.Alert {
		a := &pb.Alert{Fingerprint: "overdue|" + unit, Kind: "overdue", Unit: unit, Severity: severity, Revision: revision, Firing: firing, Updated: updated.UnixMilli(), Summary: unit + " waits"}
		if !firing {
			a.Resolved = a.Updated
		}
		return a
	}
	would := []*pb.Alert{
		alert("early", 1, "info", at(3, 6), true), alert("same", 1, "info", at(4, 0), true), alert("same", 2, "page", at(4, 5), true), alert("again", 1, "info", at(4, 6), true),
		alert("again", 2, "info", at(4, 7), false), alert("same", 3, "page", at(4, 8), false), alert("new", 1, "ticket", at(4, 9), true), alert("early", 2, "info", at(5, 0), false),
		alert("again", 1, "info", at(5, 6), true), alert("later", 1, "page", at(6, 0), true),
	}
	did := []*pb.Alert{
		alert("before", 2, "info", at(3, 1), false), alert("gone", 1, "info", at(4, 0), true), alert("same", 1, "info", at(4, 0), true), alert("early", 1, "info", at(4, 2), true),
		alert("same", 2, "page", at(4, 5), true), alert("same", 2, "page", at(4, 5), true), alert("same", 3, "page", at(4, 8), false), alert("early", 2, "info", at(5, 0), false),
	}
	from, to := at(4, 0), at(6, 0)
	r := &backtested{Prefix: "p", From: from, To: to, ReadFrom: at(1, 0), Events: 7, Settings: []changedSetting{{"step", "10m", "5m"}}}
	r.Alerts = compareAlerts(episodesOf(would), episodesOf(did), from, to)
	r.Counts = countAlerts(r.Alerts, from, to)
	var table, list bytes.Buffer
	if err := errors.Join(r.print(&table, "table"), r.print(&list, "csv")); err != nil {
		t.Fatal(err)
	}
	want := `"p" from 2026-03-04 00:00 to 2026-03-06 00:00 UTC (2.0 days), 7 events from 2026-03-01 00:00 folded
settings: step 10m (default 5m)

would fire        until             severity  fired             until             severity           what
2026-03-03 06:00  2026-03-05 00:00  info      2026-03-04 02:00  2026-03-05 00:00  info      other    early waits
-                                             2026-03-04 00:00  fires             info      missing  gone waits
2026-03-04 00:00  2026-03-04 08:00  page      2026-03-04 00:00  2026-03-04 08:00  page      same     same waits
2026-03-04 06:00  2026-03-04 07:00  info      -                                             new      again waits
2026-03-04 09:00  fires             ticket    -                                             new      new waits
2026-03-05 06:00  fires             info      -                                             new      again waits

1 the same, 1 at other times or otherwise severe, 3 new, 1 missing

     kind  severity  would fire  a day  fired  a day
  overdue      page           1   0.50      1   0.50
  overdue    ticket           1   0.50      0   0.00
  overdue      info           2   1.00      2   1.00
      all                     4   2.00      3   1.50
`
	if table.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &table, want)
	}
	rows, err := csv.NewReader(&list).ReadAll()
	if err != nil || len(rows) != 7 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	if got := strings.Join(rows[3], ","); got != "same,overdue|same,overdue,,,,,,same,2026-03-04T00:00:00Z,2026-03-04T08:00:00Z,page,3,same waits,2026-03-04T00:00:00Z,2026-03-04T08:00:00Z,page,3,same waits" {
		t.Error(got)
	}
}

// A file of settings says what is wrong with it, in which line; what is printed is such a file.
func TestBacktestSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.yaml")
	read := func(text string) error {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := readSettings(path)
		return err
	}
	var printed strings.Builder
	set, err := readSettings("")
	if err != nil {
		t.Fatal(err)
	}
	printSettings(&printed, set)
	for _, good := range []string{"", "# nothing\n", printed.String(), "shift: {counts: [6, 12], within: 5d}\n"} {
		if err := read(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for text, want := range map[string]string{
		"overdue.fire: 1.6\noverdue:\n  fier: 2\n": `settings.yaml:3: there is no setting "overdue.fier"; there are min_samples, step, overdue.fire`,
		"overdue.fire: 1.6\noverdue: {fire: 2}\n":  "settings.yaml:2: overdue.fire stands in line 1 already",
		"- overdue\n":            "settings.yaml:1: here stand names and values",
		"overdue: 3\n":           `there is no setting "overdue"`,
		"step: 7m\n":             "settings.yaml: step: 7m is no whole number",
		"shift.counts: [6, x]":   "is no list of numbers like [6, 8, 12, 16, 24]",
		"overdue.fire: [1, 2]\n": "is no number like 1.5",
	} {
		if err := read(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
