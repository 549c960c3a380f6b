package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"corridorwatch/internal/alertmanagertest"
)

// joined is a second train that comes to the closed border.
const joined = `{"specversion":"1.0","type":"train.planned","source":"t","id":"6","subject":"CR:X2:2026-03-01","time":"2026-03-01T15:00:00Z","data":{"destination":"kz-zhetygen","exit_border":"khorgos","stops":[{"place":"cn-khorgos"},{"place":"kz-altynkol"},{"place":"kz-zhetygen"}]}}
{"specversion":"1.0","type":"train.arrived","source":"t","id":"7","subject":"CR:X2:2026-03-01","time":"2026-03-01T16:00:00Z","data":{"place":"cn-khorgos"}}
`

// TestAlertmanager: the program tells a real Alertmanager of a border that is closed. Its own API shows one alert, the same one anew when
// more trains wait, and none when the border is open again; what it sends on is that it fires, and that it is resolved.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sent []string // what Alertmanager told of the closure, each once
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, a := range m.Alerts {
			if text := a.Status + " " + a.Labels["severity"]; a.Labels["alertname"] == "Closure" && !slices.Contains(sent, text) {
				sent = append(sent, text)
			}
		}
	}))
	defer hook.Close()
	at := alertmanagertest.Start(t, hook.URL)
	p := newProgram(t)
	channels := filepath.Join(p.dir, "alerts.yml")
	if err := os.WriteFile(channels, fmt.Appendf(nil, "channels: [{name: ops, alertmanager: [%q]}]\n", at), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, envPrefix+"ALERTS_FILE="+channels)
	s := p.up("--time", "data")
	send := func(name, events, beyond string) {
		t.Helper()
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(events), 0o600); err != nil {
			t.Fatal(err)
		}
		p.run("ingest", "--wait", "--beyond", beyond, path)
	}
	shows := func(what string, want ...string) {
		t.Helper()
		until(t, what, func() (bool, error) {
			got, err := closuresIn(at)
			return err == nil && slices.Equal(got, want), fmt.Errorf("Alertmanager shows %q, not %q (%v)", got, want, err)
		})
	}
	summary := "Khorgos - Altynkol (CN-KZ): closed for %s, since 2026-03-01 06:00 UTC; %s, 0 held upstream"
	send("closed.jsonl", closed, "8h")
	shows("it fires", "ticket: "+fmt.Sprintf(summary, "6 h", "1 train waits"))
	send("joined.jsonl", joined, "2h")
	shows("it is told anew", "ticket: "+fmt.Sprintf(summary, "10 h", "2 trains wait"))
	send("opened.jsonl", strings.NewReplacer("2026-03-02T13", "2026-03-01T18", "2026-03-02T14", "2026-03-01T19", "2026-03-02T15", "2026-03-01T20").Replace(opened), "2h")
	shows("it is over")
	s.stop(syscall.SIGTERM)
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"firing ticket", "resolved ticket"}; !slices.Equal(sent, want) {
		t.Errorf("Alertmanager sent %q, want %q", sent, want)
	}
}

// closuresIn are the closures that fire by an Alertmanager's API: severity and summary.
func closuresIn(at string) ([]string, error) {
	res, err := http.Get(at + `/api/v2/alerts?filter=alertname="Closure"`)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var all []struct{ Labels, Annotations map[string]string }
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		return nil, err
	}
	var out []string
	for _, a := range all {
		out = append(out, a.Labels["severity"]+": "+a.Annotations["summary"])
	}
	return out, nil
}
