package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"corridorwatch/internal/longtest"
	"corridorwatch/schemas/clickhouse"
)

// TestLongTripForms sends trip forms and asks for the indicators: they are those worked out by hand in testdata/trip-forms. Sent again,
// nothing changes.
func TestLongTripForms(t *testing.T) {
	longtest.Only(t)
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	send := func() string {
		return s.run("ingest", "--wait", "--format", "trips", "../../testdata/trip-forms/forms.csv")
	}
	if out := send(); !strings.Contains(out, "rejected 0") {
		t.Error(out)
	}
	s.answers("../../testdata/trip-forms/indicators.txt")
	rows := s.matchScript("train,container", "../../testdata/trip-forms/forms.csv")
	for _, sql := range indicators {
		if name := strings.Split(sql, "'")[1]; rows[name] == 0 {
			t.Errorf("the script says nothing of %s", name)
		}
	}
	before := s.views()
	send()
	sameViews(t, "sent twice", s.views(), before)

	// A day at Khorgos of which much was not seen: each side missing once (X7005, X7006), a departure that nobody told (7), one refused that
	// ends there (8) or is lost (9), expectations and what was taken back (10), one that turns back (11), two lost with reports of the next day
	// (12, 14), and three weeks later somebody else (13).
	s.run("ingest", "--wait", "../../testdata/indicators/day.jsonl")
	s.matchScript("coverage,tfi1", "../../testdata/trip-forms/forms.csv", "../../testdata/indicators/day.jsonl")
	const want = "units\tseen_n\tboth_n\tboth_share\tcandidate_n\thours_with_data\n9\t8\t7\t0.7778\t0\t10"
	if got := strings.TrimSpace(s.query("SELECT units, seen_n, both_n, both_share, candidate_n, hours_with_data FROM v_coverage " +
		"WHERE day = '2026-06-01' AND role = 'outbound' AND direction = 'CN-KZ'")); got != want {
		t.Errorf("coverage of the day at Khorgos:\n%s", got)
	}
	s.matchDelays("countIf(releases > n) > 0 FROM v_delay_stats")
	// X7007 was heard of at Altynkol 25.5 hours after it had come to Khorgos: no stay of that length was observed. X7006 was not seen on the
	// inbound side.
	const observed = "role\tn\tmax_h\tunseen_n\ninbound\t7\t21.0167\t1\noutbound\t7\t8.5833\t2\npair\t6\t33.5\t2"
	if got := strings.TrimSpace(s.query("SELECT role, n, max_h, unseen_n FROM v_tfi1 WHERE period = '2026-06' AND direction = 'CN-KZ' AND unit_kind = 'train' ORDER BY role")); got != observed {
		t.Errorf("TFI1 of the day at Khorgos:\n%s", got)
	}
}

// TestWeekByScript works the indicators of the trains of the week at Dostyk out by the script too, and compares with those files of its
// ledger that are views, as at the moment it was closed at: nine minutes after the minute of the last event.
func TestWeekByScript(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	s.run("ingest", "--wait", "--beyond", "9m", "../../testdata/dostyk-week/events.jsonl")
	s.matchLedger()
	// Trains that bear one name on the one side and another on the other, offered under the first and accepted under the second.
	const handovers = "unit\tother_identity\thandover_s\nCR:X9021:2026-05-11\tKTZ:4021:2026-05-12\t13500\nCR:X9023:2026-05-13\tKTZ:4023:2026-05-14\t17100\n" +
		"KTZ:4102:2026-05-14\tCR:X9102:2026-05-14\t18600"
	if got := strings.TrimSpace(s.query("SELECT unit, other_identity, handover_s FROM v_crossings WHERE candidate AND unit_kind = 'train' AND handover_s IS NOT NULL AND notEmpty(outbound_places) ORDER BY unit")); got != handovers {
		t.Errorf("hand-overs under two names:\n%s", got)
	}
	// X9023 is no train any more: its containers go on as 4023, though nobody said so. Each container is on one train.
	const onTrains = "ended\tgoes_on_as\tcontainers\tcounted\nCR:X9023:2026-05-13\tKTZ:4023:2026-05-14\t64\t64"
	if got := strings.TrimSpace(s.query("SELECT anyIf(s.run, s.goes_on_as != '') AS ended, max(s.goes_on_as) AS goes_on_as, sum(s.containers) AS containers, " +
		"(SELECT count() FROM v_unit_status WHERE unit_kind = 'container' AND vehicle != '') AS counted FROM v_train_status AS s")); got != onTrains {
		t.Errorf("containers on trains:\n%s", got)
	}
	const refused = "unit_kind\tunits\trefused_cause\ncontainer\t8\tdocument_errors\ntrain\t1\tdocument_errors"
	if got := strings.TrimSpace(s.query("SELECT unit_kind, count() AS units, refused_cause FROM v_crossings WHERE refused > 0 AND unit_kind != 'wagon' GROUP BY ALL ORDER BY unit_kind")); got != refused {
		t.Errorf("refused:\n%s", got)
	}
	s.matchDelays("max(p95_s > p50_s) AND max(waiting) > 1 AND max(held_upstream) > 0 AND uniqExact(role, unit_kind) >= 6 FROM v_delay_stats",
		"max(samples) > 3 AND uniqExact(samples_of, role) >= 6 FROM v_crossing_delays")
	if rows := s.matchScript("train", "../../testdata/dostyk-week/events.jsonl"); rows["tfi1"] == 0 || rows["speed"] == 0 || rows["through"] == 0 || rows["coverage"] == 0 {
		t.Errorf("the script says too little: %v", rows)
	}
}

// answers asks the questions of a file and compares: a statement on one line, the answer below it, an empty line.
func (s *service) answers(path string) {
	s.t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, q := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		sql, want, _ := strings.Cut(q, "\n")
		if got := strings.TrimSpace(s.query(sql)); got != want {
			s.t.Errorf("%s\ngot:\n%s\nwant:\n%s", sql, got, want)
		}
	}
}

// indicators are the columns of the views that the independent script works out too, a statement for each of its names.
var indicators = []string{
	"SELECT 'tfi1', period, border, role, direction, unit_kind, n, mean_h, median_h, p95_h, max_h, unseen_n, coverage, candidate_n FROM v_tfi1",
	"SELECT 'speed', period, country, mode, unit_kind, n, journeys, unknown_n, opposed_n, km, elapsed_h, moving_h, swd_kmh, swod_kmh FROM v_country_speed",
	"SELECT 'corridor', period, corridor, mode, unit_kind, n, journeys, unknown_n, opposed_n, km, elapsed_h, moving_h, swd_kmh, swod_kmh FROM v_corridor_speed",
	"SELECT 'section', period, corridor, section, from_place, to_place, mode, unit_kind, n, opposed_n, km, elapsed_s, moving_s, swd_kmh, swod_kmh FROM v_section_speed",
	"SELECT 'punctuality', period, point, place, border, unit_kind, n, on_time_n, on_time_share, mean_delay_min, median_delay_min, p95_delay_min FROM v_punctuality WHERE n > 0",
	"SELECT 'through', period, place, unit_kind, n, mean_h, median_h, p95_h, max_h, capped_n, capped_mean_h, capped_median_h, capped_p95_h, dropped_long_n, dropped_repair_n FROM v_through_dwell",
	"SELECT 'consolidated', period, origin, last_place, unit_kind, n, mean_d, median_d, p95_d, port_mean_d, inland_mean_d, lead_n, lead_mean_d, lead_median_d, lead_p95_d FROM v_consolidated_dwell WHERE n > 0",
	"SELECT 'profile', period, corridor, direction, unit_kind, origin, destination, place, km, n, seen_n, arrived_mean_h, arrived_median_h, arrived_p95_h, departed_n, departed_mean_h, departed_median_h, departed_p95_h FROM v_time_distance",
	"SELECT 'transit', period, from_place, to_place, unit_kind, corridors, via, planned, km, n, mean_h, median_h, p95_h, kmh, ways, behind_best_h FROM v_corridor_transit",
	"SELECT 'tfi2', period, border, role, direction, unit_kind, currency, n, mean, median, p95 FROM v_tfi2",
	"SELECT 'tfi3', period, from_place, to_place, unit_kind, currency, n, mean, median, p95 FROM v_tfi3 WHERE n > 0",
	"SELECT 'coverage', border, role, country, direction, unit_kind, day, units, seen_n, both_n, both_share, candidate_n, hours_with_data FROM v_coverage",
}

// matchScript works the indicators out of raw events a second time, by a script in another language that shares no code with the
// stages, and compares every row that holds one of the words (kinds of units, names of indicators) to the last digit printed. It returns
// how many rows of each indicator there were.
func (s *service) matchScript(words string, events ...string) map[string]int {
	s.t.Helper()
	python := tool(s.t, "python3", "python3")
	dir := s.t.TempDir()
	for name, sql := range map[string]string{
		"places":    "SELECT id, country, kinds FROM catalogue_places",
		"borders":   "SELECT id, country_a, country_b, places_a, places_b FROM catalogue_borders",
		"corridors": "SELECT id, status, places, km FROM catalogue_corridors",
		"sections":  "SELECT id, from_place, to_place, km, mode, status FROM catalogue_sections",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".jsonl"), []byte(s.run("query", "--format", "JSONEachRow", sql)), 0o644); err != nil {
			s.t.Fatal(err)
		}
	}
	script := exec.CommandContext(s.t.Context(), python, append([]string{"../../testdata/indicators/indicators.py", dir}, events...)...)
	script.Stderr = os.Stderr
	out, err := script.Output()
	if err != nil {
		s.t.Fatalf("the script: %v", err)
	}
	var views strings.Builder
	for _, sql := range indicators {
		views.WriteString(s.run("query", "--format", "TSV", sql))
	}
	sorted := func(text string) []string {
		var lines []string
		for line := range strings.Lines(text) {
			if cells := strings.Fields(line); slices.ContainsFunc(strings.Split(words, ","), func(k string) bool { return slices.Contains(cells, k) }) {
				lines = append(lines, strings.TrimRight(line, "\n"))
			}
		}
		slices.Sort(lines)
		return lines
	}
	ours, theirs := sorted(views.String()), sorted(string(out))
	if diff := clickhouse.Diff(map[string][]string{"indicators": ours}, map[string][]string{"indicators": theirs}, 40); diff != "" {
		s.t.Errorf("%s: the views (-) and the script (+) disagree:\n%s", events, diff)
	}
	rows := map[string]int{}
	for _, line := range theirs {
		name, _, _ := strings.Cut(line, "\t")
		rows[name]++
	}
	return rows
}

// TestJourneys: the journeys of two containers from Xi'an, to Duisburg and to Poti, are in v_journey from end to end.
func TestJourneys(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	if out := s.run("ingest", "--wait", "../../testdata/journeys/events.jsonl"); !strings.Contains(out, "rejected 0") {
		t.Error(out)
	}
	var got strings.Builder
	ask := func(sql string) { fmt.Fprintf(&got, "%s\n%s\n", sql, s.query(sql)) }
	for _, unit := range []string{"DUIU7000010", "POTU7000015"} {
		ask("SELECT from_time, to_time, step, what, role, seconds, km, vehicle_in, vehicle, planned_from, planned_to, delay_from_s, delay_to_s, state " +
			"FROM v_journey WHERE unit = '" + unit + "' AND level <= 3 ORDER BY from_time, level, to_time")
		ask("SELECT id, what, cause, party FROM v_journey WHERE unit = '" + unit + "' AND step = 'activity' ORDER BY from_time, what")
	}
	// Stops and legs alternate, and each begins where the one before it ended.
	ask("SELECT unit, count() AS steps, countIf(step = 'leg') AS legs, countIf(n > 1 AND from_time != before) AS gaps FROM (" +
		"SELECT unit, step, from_time, row_number() OVER w AS n, lagInFrame(to_time) OVER w AS before FROM v_journey WHERE unit_kind = 'container' AND level = 3 " +
		"WINDOW w AS (PARTITION BY unit, journey ORDER BY from_time, to_time, step DESC)) GROUP BY unit ORDER BY unit")
	golden(t, "../../testdata/journeys/views.txt", got.String())
	if rows := s.matchScript("train,vessel", "../../testdata/journeys/events.jsonl"); rows["coverage"] == 0 {
		t.Errorf("the script says too little: %v", rows)
	}
}

// TestQuestions asks the questions of docs/questions.md; the answers there are those of the views.
func TestQuestions(t *testing.T) {
	t.Parallel()
	s := newProgram(t).up("--time", "data")
	s.run("ingest", "--format", "trips", "../../testdata/trip-forms/forms.csv")
	s.run("ingest", "--wait", "../../testdata/journeys/events.jsonl", "../../testdata/dostyk-week/events.jsonl")
	const path, sqlFence, fence = "../../docs/questions.md", "```sql\n", "```\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), sqlFence)
	var got strings.Builder
	got.WriteString(parts[0])
	for _, part := range parts[1:] {
		pieces := strings.SplitN(part, fence, 4) // the statement, a blank line, the answer, the text behind it
		if len(pieces) != 4 {
			t.Fatalf("a question without an answer: %s", part)
		}
		got.WriteString(sqlFence + pieces[0] + fence + pieces[1] + fence + s.query(pieces[0]) + fence + pieces[3])
	}
	if len(parts) != 21 {
		t.Errorf("%d questions, want 20", len(parts)-1)
	}
	golden(t, path, got.String())
}
