package live

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestReceived: what came in the last day, each event once by what counts of it, for trains and units together.
func TestReceived(t *testing.T) {
	ask := story(t)
	const row = "INSERT INTO %s (source, id, verb, unit_kind, subject, time, recorded_at, accepted_at, late) VALUES ('new', '%s', '%s', 'train', '%s', '%s', '%s', '%s', %t)"
	for _, e := range []struct {
		table, id, verb, subject, time, recorded, accepted string
		late                                               bool
	}{
		{"train_events", "1", "position", "R1", "2026-03-01 10:00:00", "2026-03-01 10:00:00", "2026-03-01 10:00:10", false},
		{"train_events", "1", "position", "R1", "2026-03-01 10:00:00", "2026-03-01 10:00:00", "2026-03-01 10:00:10", false}, // again
		{"train_events", "1", "position", "R2", "2026-03-01 11:00:00", "2026-03-01 11:00:00", "2026-03-01 11:00:30", false}, // another's
		{"train_events", "2", "arrived", "R1", "2026-03-01 09:00:00", "2026-03-01 09:00:00", "2026-03-01 09:01:00", true},
		{"train_events", "2", "arrived", "R1", "2026-03-01 08:00:00", "2026-03-01 12:00:00", "2026-03-01 12:00:00", false},  // mended
		{"train_events", "3", "position", "R1", "2026-02-28 23:59:00", "2026-02-28 23:59:00", "2026-03-01 00:00:00", false}, // the day before
		{"unit_events", "4", "arrived", "C1", "2026-03-01 07:00:00", "2026-03-01 07:00:00", "2026-03-01 07:00:00", true},
	} {
		tell(t, ask, fmt.Sprintf(row, e.table, e.id, e.verb, e.subject, e.time, e.recorded, e.accepted, e.late))
	}
	_, _, body := serve(t, ask)("received?format=csv&source=new&order=event")
	want := `"source","event","n","late","last_at","delay_s"
"new","arrived",2,1,"2026-03-01T08:00:00.000Z",7200
"new","position",2,0,"2026-03-01T11:00:00.000Z",20
`
	if body != want {
		t.Errorf("got\n%swant\n%s", body, want)
	}
}

// TestLines: the diagram of a corridor has the trains of the time asked for, their visits in order, and says what it lacks.
func TestLines(t *testing.T) {
	ask := story(t)
	tell(t, ask, "INSERT INTO catalogue_corridors VALUES ('c1', 'First', 'open', false, ['east', 'mid', 'west'], [0, 40, 100])")
	get := serve(t, ask)
	status, _, body := get("lines?corridor=c1&from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z&order=unit&format=ndjson")
	var first struct {
		Unit    string
		DelayS  *float64 `json:"delay_s"`
		Visits  [][]any
		Plan    []any
		Unitknd string `json:"unit_kind"`
	}
	lines := strings.Split(strings.TrimSpace(body), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || status != http.StatusOK || len(lines) != 2 {
		t.Fatalf("%d %v: %s", status, err, body)
	}
	var places []string
	for _, v := range first.Visits {
		places = append(places, v[0].(string))
	}
	if first.Unit != "R1" || strings.Join(places, " ") != "east mid west" || first.DelayS == nil || *first.DelayS != 3600 {
		t.Errorf("%+v", first)
	}
	// R1 stood at east from 0 to 6 o'clock, planned to come an hour before; at west it still stands.
	if v := first.Visits[0]; v[1] != 1772323200000. || v[2] != 1772344800000. || v[3] != true || v[4] == true || v[5] != 1772319600000. {
		t.Errorf("visit at east: %v", v)
	}
	if v := first.Visits[2]; v[2] != nil || v[6] != nil {
		t.Errorf("visit at west: %v", v)
	}
	if _, _, body := get("lines?corridor=c1&from=2026-04-01T00:00:00Z&to=2026-04-02T00:00:00Z&format=ndjson"); strings.Count(body, "\n") != 2 {
		t.Errorf("a month later two trains still stand: %s", body)
	}
	// What was rejected counts for its source until it is mended: one of the two of s is.
	tell(t, ask, "INSERT INTO rejects (id, source, reason, value, at, attempts, accepted_at) VALUES ('0-9-0', 'bad', 'unreadable', '{', '2026-03-01 10:00:00', 1, 0)")
	for source, want := range map[string]string{"bad": `"rejects":1`, "s": `"rejects":1`} {
		if _, _, body := get("sources?format=ndjson&source=" + source); !strings.Contains(body, want) {
			t.Errorf("source %s: %s, want %s", source, body, want)
		}
	}
	for path, want := range map[string]string{"lines?from=2026-03-01&to=2026-03-02": "needs corridor", "lines?corridor=c1&from=soon&to=2026-03-02": "does not fit"} {
		if status, _, body := get(path); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestAlertVersions: what was told of an alert is there once for each time, the last epoch's, and that it was taken back.
func TestAlertVersions(t *testing.T) {
	get := serve(t, story(t))
	for fingerprint, want := range map[string]string{
		"overdue|area|b|outbound|AA-BB||R2": "info 2026-03-01T20:00:00.000Z false, ticket 2026-03-01T23:00:00.000Z false",
		"feed_silent|area|||||":             "page 2026-03-01T15:00:00.000Z false,   true",
		"overdue|nowhere":                   "",
	} {
		_, _, body := get("alert_versions?format=ndjson&order=known_at&fingerprint=" + url.QueryEscape(fingerprint))
		var got []string
		for line := range strings.Lines(body) {
			var v struct {
				Severity, Updated string
				TakenBack         bool `json:"taken_back"`
			}
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			got = append(got, fmt.Sprint(v.Severity, " ", v.Updated, " ", v.TakenBack))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %q", fingerprint, got, want)
		}
	}
}

// TestLinked: an address that was sent to somebody leads to the view, whatever is in it.
func TestLinked(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("GET /alerts", Linked())
	mux.Handle("GET /alerts/", Linked())
	for from, to := range map[string]string{
		"/alerts?border=khorgos":                             "/#/alerts?border=khorgos",
		"/alerts/overdue%7Cdostyk%7C%D0%A2%208001%2F%2E%2F1": "/#/alerts/overdue%7Cdostyk%7C%D0%A2%208001%2F%2E%2F1",
	} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, from, nil))
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != to {
			t.Errorf("%s leads to %d %q, want %q", from, w.Code, w.Header().Get("Location"), to)
		}
	}
}

// tell writes to the story's database.
func tell(t *testing.T, ask Ask, sql string) {
	t.Helper()
	answer, err := ask(t.Context(), sql, "JSON", url.Values{})
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, answer)
	answer.Close()
}
