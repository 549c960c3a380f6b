package stories

import (
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"corridorwatch/schemas/network"
	"corridorwatch/schemas/pb"
)

// ledger is one file of what is expected: rows by their key, which is the first columns.
type ledger struct {
	file string
	key  []string
	rows func(*told) []row
	some bool // the file tells of some rows only
}

// row is one row as the stages give it, by column.
type row map[string]string

// underTest are the files of the week's ledger that the stages give. What views make of them is under test in cmd/corridorwatch.
var underTest = []ledger{
	{file: "visits.csv", key: []string{"unit", "unit_kind", "place", "n"}, rows: visitRows},
	{file: "crossings.csv", key: []string{"unit", "unit_kind", "border"}, rows: crossingRows},
	{file: "gauge_break.csv", key: []string{"unit", "gauge_break"}, rows: transferRows},
	{file: "side_causes.csv", key: []string{"run", "place"}, rows: causeRows, some: true},
}

func TestWeek(t *testing.T) {
	cat, err := network.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, week+"events.jsonl").fold(cat, weekEnd)
	for _, r := range got.rejects {
		t.Errorf("rejected: %s %s %s: %s", r.Reason, r.Path, r.Detail, r.Value)
	}
	for _, l := range underTest {
		t.Run(l.file, func(t *testing.T) { l.compare(t, week+"ledger/"+l.file, l.rows(got)) })
	}
}

// compare holds rows against the file, cell by cell. Notes are for people.
func (l ledger) compare(t *testing.T, path string, rows []row) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := lines[0]
	got := map[string]row{}
	for _, r := range rows {
		if got[l.keyOf(r)] != nil {
			t.Errorf("%s: two rows", l.keyOf(r))
		}
		got[l.keyOf(r)] = r
	}
	for _, line := range lines[1:] {
		want := row{}
		for i, c := range head {
			want[c] = line[i]
		}
		k := l.keyOf(want)
		r := got[k]
		if r == nil {
			t.Errorf("%s: no such row", k)
			continue
		}
		delete(got, k)
		for _, c := range head {
			if cell, known := r[c]; c != "notes" && (!known || cell != want[c]) {
				t.Errorf("%s: %s is %q, expected %q", k, c, cell, want[c])
			}
		}
	}
	for k := range got {
		if !l.some {
			t.Errorf("%s: a row that is not expected", k)
		}
	}
}

func (l ledger) keyOf(r row) string {
	var key []string
	for _, c := range l.key {
		key = append(key, r[c])
	}
	return strings.Join(key, " ")
}

// Cells as the ledger writes them.
func instant(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

func span(from, to int64) string {
	if from == 0 || to == 0 {
		return ""
	}
	return strconv.FormatInt((to-from)/1000, 10)
}

func word(v fmt.Stringer) string { return strings.ToLower(v.String()) }

func basis(m *pb.Moment) string {
	if m.GetAt() == 0 {
		return ""
	}
	return word(m.Basis)
}

func visitRows(all *told) (rows []row) {
	for _, v := range all.visits {
		arrived, departed := v.Arrived, v.Departed
		how := "stopped"
		if !v.Stopped {
			how, arrived, departed = "passed", v.Entered, v.Left
		}
		r := row{
			"unit": v.Unit, "unit_kind": word(v.UnitKind), "place": v.Place, "n": strconv.Itoa(int(v.N)), "how": how,
			"arrived": instant(arrived.GetAt()), "departed": instant(departed.GetAt()), "dwell_s": span(arrived.GetAt(), departed.GetAt()),
			"state": word(v.State), "arrived_basis": basis(arrived), "departed_basis": basis(departed), "open_for_s": "",
			"vehicle_in": v.VehicleIn, "vehicle_out": v.VehicleOut,
		}
		if v.State != pb.State_CLOSED {
			r["open_for_s"] = span(arrived.GetAt(), weekEnd)
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a["unit"], b["unit"]) })
	return rows
}
