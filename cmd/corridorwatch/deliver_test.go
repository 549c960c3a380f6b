package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"corridorwatch/processors/deliver"
	"corridorwatch/schemas/pb"
)

const hookSecret = "one secret of 32 bytes for tests"

// channelFile writes settings with one webhook.
func channelFile(t *testing.T, dir, url string) string {
	t.Helper()
	path := filepath.Join(dir, "alerts.yml")
	for name, text := range map[string]string{
		path:                       fmt.Sprintf("channels:\n  - {name: hook, webhook: {url: %q, secret_files: [hook], allow_private: true}}\n", url),
		filepath.Join(dir, "hook"): "whsec_" + base64.StdEncoding.EncodeToString([]byte(hookSecret)),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// receiver of a webhook.
type receiver struct {
	t *testing.T

	mu     sync.Mutex
	away   bool
	bodies map[string]string // by id
	order  []string          // "fingerprint type", as each id came first
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || r.away {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := req.Header.Get("webhook-id")
	mac := hmac.New(sha256.New, []byte(hookSecret))
	fmt.Fprintf(mac, "%s.%s.%s", id, req.Header.Get("webhook-timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); req.Header.Get("webhook-signature") != want {
		r.t.Errorf("signature of %s is %s, want %s", id, req.Header.Get("webhook-signature"), want)
	}
	if old, again := r.bodies[id]; again {
		if old != string(body) {
			r.t.Errorf("%s came again with another body:\n%s\n%s", id, old, body)
		}
		return
	}
	r.bodies[id] = string(body)
	var p struct {
		Type string
		Data struct{ Fingerprint string }
	}
	if err := json.Unmarshal(body, &p); err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	r.order = append(r.order, p.Data.Fingerprint+" "+p.Type)
}

func (r *receiver) isAway(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away = yes
}

func (r *receiver) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for id := range r.bodies {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// closure is a train that waits while its border is closed, and goes on when it is open again.
const closed, opened = `{"specversion":"1.0","type":"train.planned","source":"t","id":"1","subject":"CR:X1:2026-03-01","time":"2026-03-01T05:00:00Z","data":{"destination":"kz-zhetygen","exit_border":"khorgos","stops":[{"place":"cn-khorgos"},{"place":"kz-altynkol"},{"place":"kz-zhetygen"}]}}
{"specversion":"1.0","type":"train.arrived","source":"t","id":"2","subject":"CR:X1:2026-03-01","time":"2026-03-01T06:00:00Z","data":{"place":"cn-khorgos"}}
{"specversion":"1.0","type":"network.restriction","source":"t","id":"3","subject":"khorgos","time":"2026-03-01T06:00:00Z","data":{"effect":"closed","reason":"wind","reference":"t 1","from":"2026-03-01T06:00:00Z"}}
`, `{"specversion":"1.0","type":"network.restriction","source":"t","id":"3","subject":"khorgos","time":"2026-03-02T13:00:00Z","recorded_at":"2026-03-02T13:00:00Z","data":{"effect":"closed","reason":"wind","reference":"t 1","from":"2026-03-01T06:00:00Z","until":"2026-03-02T13:00:00Z"}}
{"specversion":"1.0","type":"train.departed","source":"t","id":"4","subject":"CR:X1:2026-03-01","time":"2026-03-02T14:00:00Z","data":{"place":"cn-khorgos"}}
{"specversion":"1.0","type":"train.arrived","source":"t","id":"5","subject":"CR:X1:2026-03-01","time":"2026-03-02T15:00:00Z","data":{"place":"kz-altynkol"}}
`

// TestAlertsDelivered: each version of each alert reaches the receiver of a signed webhook under one id, though the receiver is away and
// the program is killed in between; and nothing else does.
func TestAlertsDelivered(t *testing.T) {
	t.Parallel()
	hook := &receiver{t: t, bodies: map[string]string{}, away: true}
	server := httptest.NewServer(hook)
	defer server.Close()
	p := newProgram(t)
	p.env = append(p.env, envPrefix+"ALERTS_FILE="+channelFile(t, p.dir, server.URL))
	send := func(name, events string) {
		path := filepath.Join(p.dir, name)
		if err := os.WriteFile(path, []byte(events), 0o600); err != nil {
			t.Fatal(err)
		}
		p.run("ingest", "--wait", "--beyond", "30h", path)
	}
	s := p.up("--time", "data")
	send("closed.jsonl", closed)
	until(t, "an attempt is made", func() (bool, error) {
		_, metrics := s.get("/metrics")
		return strings.Contains(metrics, `corridorwatch_alerts_undelivered{channel="hook"} 1`), nil
	})
	s.stop(syscall.SIGKILL)
	hook.isAway(false)
	s = p.up("--time", "data")
	until(t, "what was not delivered is", func() (bool, error) { return len(hook.ids()) >= 2, fmt.Errorf("%v", hook.ids()) })
	s.stop(syscall.SIGKILL)
	s = p.up("--time", "data")
	send("opened.jsonl", opened)
	var want []string
	for _, line := range strings.Split(strings.TrimSpace(p.run("query", "--format", "TSV", "SELECT fingerprint, toUnixTimestamp64Milli(updated) FROM alerts_history")), "\n") {
		fingerprint, updated, _ := strings.Cut(line, "\t")
		at, err := strconv.ParseInt(updated, 10, 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		want = append(want, deliver.NewNotice(&pb.Alert{Fingerprint: fingerprint, Updated: at}).ID)
	}
	slices.Sort(want)
	until(t, "every version is delivered", func() (bool, error) {
		return len(hook.ids()) >= len(want), fmt.Errorf("%v of %v", hook.ids(), want)
	})
	if got := hook.ids(); !slices.Equal(got, want) {
		t.Errorf("delivered %v, want %v", got, want)
	}
	s.stop(syscall.SIGTERM)
	const closure = "closure|khorgos|khorgos||CN-KZ|| alert."
	got := slices.DeleteFunc(slices.Clone(hook.order), func(l string) bool { return !strings.HasPrefix(l, closure) })
	if want := []string{closure + "firing", closure + "updated", closure + "resolved"}; !slices.Equal(got, want) {
		t.Errorf("of the closure was told %q, want %q; of all %q", got, want, hook.order)
	}
}

// TestChannels: what nobody bears is refused before anything is delivered, and who has no channels is told so.
func TestChannels(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	path := filepath.Join(p.dir, "alerts.yml")
	text := `channels: [{name: a, alertmanager: ["http://127.0.0.1:1"], borders: [khorgs], kinds: [late], corridors: [khorgos-aktau]}]`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p.env = append(p.env, envPrefix+"ALERTS_FILE="+path)
	began := time.Now()
	_, err := p.try("up")
	for _, want := range []string{`there is no border "khorgs"; there are `, `there is no kind "late"; there are anomalous, below_plan, closure`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("after %v: %v, want %s", time.Since(began), err, want)
		}
	}
	if out, err := p.try("doctor"); err == nil || !strings.Contains(out, "bad  alerts") || !strings.Contains(out, `there is no border "khorgs"`) {
		t.Errorf("doctor does not say so: %v\n%s", err, out)
	}
}
