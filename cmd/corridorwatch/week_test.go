package main

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"

	"corridorwatch/schemas/clickhouse"
)

// ledgerViews asks for files of the ledger of testdata/dostyk-week that are views, column by column as these have them. Notes are for
// people, and the true offset of a clock only the story knows.
var ledgerViews = map[string]string{
	"gauge_break": `SELECT unit, gauge_break, arrayStringConcat(places, '+') AS places, first_vehicle AS first_train, second_vehicle AS second_train,
		iso(arrived) AS arrived, iso(off_at) AS off_first_train, iso(on_at) AS on_second_train, iso(departed) AS departed,
		on_first_s, between_s, on_second_s, sum_s, took(causes, 'commercial_inspection') AS commercial_inspection_s, took(causes, 'customs') AS customs_s,
		took(causes, 'document_errors') AS document_errors_s, took(causes, 'sanitary_inspection') AS sanitary_inspection_s,
		took(causes, 'technical_inspection') AS technical_inspection_s, took(causes, 'busy_facilities') AS busy_facilities_s, took(causes, 'waiting_wagons') AS waiting_wagons_s,
		took(causes, 'transhipment') AS transhipment_s, took(causes, 'loading') AS loading_s, took(causes, 'waiting_locomotive') AS waiting_locomotive_s,
		overlap_s, unexplained_s, state FROM v_gauge_breaks`,
	"links": `SELECT run_a, run_b, place, containers_a, containers_b, common, printf('%.4f', share_of_a) AS share_of_a,
		printf('%.4f', share_of_b) AS share_of_b, printf('%.4f', jaccard) AS jaccard, if(told, 'yes', 'no') AS continued_by FROM v_train_links`,
	"containers_left_behind": `SELECT unit, place, arrived_with, iso(arrived) AS arrived, iso(off_at) AS off_first_train,
		rest_left_as AS rest_of_train_left_as, iso(rest_departed) AS rest_departed, forwarded_with, iso(on_at) AS loaded, iso(departed) AS departed,
		left_behind_s, main_cause AS cause FROM v_left_behind`,
	"clock_skew": `SELECT clock, against, concat(if(to_clock, against_place, clock_place), ' to ', if(to_clock, clock_place, against_place)) AS pair,
		unit AS run, iso(departed) AS departed, iso(arrived) AS arrived, running_s AS running_recorded_s FROM v_clock_skew`,
	"counts": `SELECT toString(railway_day) AS railway_day, iso(day_ends) AS day_ends, border, direction, role AS side, arrived AS trains_arrived, offered, accepted, refused,
		formed AS trains_formed, departed AS trains_departed, on_hand AS on_hand_arrived_trains, on_hand_formed AS on_hand_formed_trains, on_hand_containers, held_upstream
		FROM v_border_days WHERE unit_kind = 'train' AND railway_day >= '2026-05-11' AND railway_day <= '2026-05-17'
		AND (arrived, offered, accepted, refused, formed, departed, on_hand, on_hand_formed, on_hand_containers, held_upstream) != (0, 0, 0, 0, 0, 0, 0, 0, 0, 0)`,
	"clock_offsets": `SELECT clock, against, median_to_s, median_from_s, offset_s AS estimated_offset_s FROM v_clock_offsets`,
}

// matchLedger compares views with the ledger, cell by cell.
func (s *service) matchLedger() {
	s.t.Helper()
	const functions = `WITH t -> ifNull(formatDateTime(t, '%Y-%m-%dT%H:%i:%SZ'), '') AS iso,
		(all, code) -> arraySum(arrayMap(c -> if(c.1 = code, c.2, 0), all)) AS took `
	for file, sql := range ledgerViews {
		got := s.table(s.run("query", "--format", "CSVWithNames", functions+sql))
		text, err := os.ReadFile("../../testdata/dostyk-week/ledger/" + file + ".csv")
		if err != nil {
			s.t.Fatal(err)
		}
		want := s.table(string(text))
		if file == "counts" { // the ledger has days on which nothing was there too
			want = slices.DeleteFunc(want, func(cells []string) bool { return strings.Join(cells[6:], "") == "0000000000" })
			for _, cells := range want {
				if cells[0] == "2026-05-17" && cells[4] == "inbound" && cells[2] == "dostyk" { // QUESTIONS.md, 29
					cells[10], cells[13] = "0", "0"
				}
			}
		}
		if len(want) < 2 {
			s.t.Errorf("%s: the ledger is empty", file)
		}
		if diff := clickhouse.Diff(map[string][]string{file: flat(want, got[0])}, map[string][]string{file: flat(got, got[0])}, 20); diff != "" {
			s.t.Errorf("the ledger (first) and the view (second): %s", diff)
		}
		for _, column := range want[0] {
			if !slices.Contains(got[0], column) && !slices.Contains([]string{"notes", "true_offset_s", "gauges", "places"}, column) {
				s.t.Errorf("%s: nothing is asked for %s", file, column)
			}
		}
	}
}

func (s *service) table(text string) [][]string {
	s.t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		s.t.Fatal(err)
	}
	return rows
}

// flat is the rows of a table as sorted lines, of some of its columns.
func flat(table [][]string, columns []string) (lines []string) {
	for _, cells := range table[1:] {
		var line []string
		for _, c := range columns {
			cell := "no column " + c
			if i := slices.Index(table[0], c); i >= 0 {
				cell = c + "=" + cells[i]
			}
			line = append(line, cell)
		}
		lines = append(lines, strings.Join(line, " "))
	}
	slices.Sort(lines)
	return lines
}
