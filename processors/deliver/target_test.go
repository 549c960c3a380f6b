package deliver

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"corridorwatch/schemas/pb"
)

var noon = time.Date(2026, 5, 11, 12, 0, 0, 0, time.UTC)

// overdue is a train that waits too long at Dostyk.
func overdue(revision uint32, severity string, firing bool) *pb.Alert {
	a := &pb.Alert{
		Fingerprint: "overdue|dostyk|Т 8001/1", Kind: "overdue", Severity: severity, Area: "dostyk", Border: "dostyk", Role: "inbound", Direction: "CN-KZ",
		Unit: "CR:X8001:2026-05-10", Corridors: []string{"northern"}, Since: noon.UnixMilli(), Updated: noon.Add(time.Duration(revision) * time.Hour).UnixMilli(), Firing: firing,
		Revision: revision, Summary: "X8001 waits at Dostyk for 31 h, usual <= 22 h", Evidence: "waiting for wagons since 09:00 & nobody says why", Value: 111600, Baseline: 79200,
		BaselineBasis: "usual",
	}
	if !firing {
		a.Resolved = a.Updated
	}
	return a
}

// TestSignature holds the signature against the test vector of the Standard Webhooks reference libraries.
func TestSignature(t *testing.T) {
	key, err := Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	w := &webhook{secrets: [][]byte{key}}
	got := w.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	for _, bad := range []string{"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_!!!!"} {
		if _, err := Secret(bad); err == nil {
			t.Errorf("secret %q was taken", bad)
		}
	}
}

// TestWebhook: a version of an alert has one id and body whenever it is sent, signed with the old and the new secret.
func TestWebhook(t *testing.T) {
	var got []*http.Request
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		switch len(got) {
		case 1:
			rw.Header().Set("Retry-After", "7")
			rw.WriteHeader(http.StatusServiceUnavailable)
		case 4:
			rw.WriteHeader(http.StatusGone)
		case 5:
			http.Redirect(rw, r, "http://example.com/", http.StatusFound)
		}
	}))
	defer server.Close()
	w := newWebhook(server.URL, [][]byte{[]byte("one secret of 24 bytes.."), []byte("the next secret of 24 b.")}, true)
	w.now = func() time.Time { return noon }
	n := Notice{"f00d.7", overdue(1, "ticket", true)}
	var later *retryAfter
	if err := w.Send(t.Context(), n); !errors.As(err, &later) || later.wait != 7*time.Second {
		t.Errorf("error %v, want the receiver's wish to be left alone for 7 s", err)
	}
	if err := w.Send(t.Context(), n); err != nil {
		t.Error(err)
	}
	if err := w.Send(t.Context(), Notice{"f00d.9", overdue(2, "page", false)}); err != nil {
		t.Error(err)
	}
	if err := w.Send(t.Context(), n); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want that the receiver wants no more", err)
	}
	if err := w.Send(t.Context(), n); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("error %v, want that a redirect is not followed", err)
	}
	if bodies[0] != bodies[1] || got[0].Header.Get("webhook-id") != "f00d.7" || got[1].Header.Get("webhook-id") != "f00d.7" {
		t.Error("a repetition is not the same")
	}
	if s := strings.Fields(got[1].Header.Get("webhook-signature")); len(s) != 2 || s[0] == s[1] || !strings.HasPrefix(s[1], "v1,") {
		t.Errorf("signatures %q, want two", s)
	}
	for i, want := range map[int]string{1: "alert.firing", 2: "alert.resolved"} {
		var p payload
		if err := json.Unmarshal([]byte(bodies[i]), &p); err != nil || p.Type != want || p.Data.Side != "inbound" || !p.Data.Since.Equal(noon) {
			t.Errorf("body %s (%v), want %s", bodies[i], err, want)
		}
	}
}

// TestGuard: a webhook reaches neither this machine nor a private network, by whatever name.
func TestGuard(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	defer server.Close()
	for _, host := range []string{"127.0.0.1", "localhost"} {
		w := newWebhook(strings.Replace(server.URL, "127.0.0.1", host, 1), [][]byte{[]byte("one secret of 24 bytes..")}, false)
		if err := w.Send(t.Context(), Notice{"f00d.7", overdue(1, "page", true)}); err == nil || !strings.Contains(err.Error(), "allow_private") {
			t.Errorf("%s: error %v, want that it is refused, and how to allow it", host, err)
		}
	}
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false,
		"100.64.0.1": false, "::1": false, "fe80::1": false, "fd00::1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "224.0.0.1": false, "255.255.255.255": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v", address, got)
		}
	}
}

// TestTelegram: firing, more severe, resolved; nothing in between, and no token in errors.
func TestTelegram(t *testing.T) {
	var texts []string
	var limited bool
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !limited {
			limited = true
			rw.WriteHeader(http.StatusTooManyRequests)
			io.WriteString(rw, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 5","parameters":{"retry_after":5}}`)
			return
		}
		if r.URL.Path != "/bot12:secret/sendMessage" {
			t.Errorf("path %s", r.URL.Path)
		}
		var m struct {
			ChatID    string `json:"chat_id"`
			Text      string `json:"text"`
			ParseMode string `json:"parse_mode"`
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.ChatID != "-100" || m.ParseMode != "HTML" {
			t.Errorf("message %+v, %v", m, err)
		}
		texts = append(texts, m.Text)
	}))
	tg := newTelegram(server.URL, "12:secret", "-100", "https://watch.example")
	var later *retryAfter
	if err := tg.Send(t.Context(), Notice{"f00d.1", overdue(1, "ticket", true)}); !errors.As(err, &later) || later.wait != 5*time.Second {
		t.Errorf("error %v, want to be left alone for 5 s", err)
	}
	long := overdue(3, "page", true)
	long.Evidence = strings.Repeat("<&>", 3000)
	for _, a := range []*pb.Alert{overdue(1, "ticket", true), overdue(2, "ticket", true), long, overdue(4, "page", true), overdue(5, "page", false)} {
		if err := tg.Send(t.Context(), Notice{"f00d", a}); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	if len(texts) != 3 || !strings.Contains(texts[0], "usual &lt;= 22 h") || !strings.Contains(texts[0], "https://watch.example/alerts/overdue%7Cdostyk%7C%D0%A2%208001%2F1") ||
		len([]rune(texts[1])) > mostText || !strings.Contains(texts[2], "resolved") {
		t.Errorf("messages %q", texts)
	}
	if err := tg.Send(t.Context(), Notice{"f00d.9", overdue(1, "ticket", true)}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error %v, want one without the token", err)
	}
}

func TestWants(t *testing.T) {
	a := overdue(1, "ticket", true)
	for _, c := range []struct {
		w    Wants
		want bool
	}{
		{Wants{}, true}, {Wants{Severity: "info"}, true}, {Wants{Severity: "page"}, false}, {Wants{Corridors: []string{"middle", "northern"}}, true},
		{Wants{Corridors: []string{"middle"}}, false}, {Wants{Borders: []string{"dostyk"}, Kinds: []string{"closure"}}, false},
	} {
		if got := c.w.Take(a); got != c.want {
			t.Errorf("%+v takes it: %v", c.w, got)
		}
	}
}

// TestSettings: every mistake is told at once, and how to mend it.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("hook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")
	write("token", "12:secret\n")
	channels, err := Load(write("good.yml", `
page: https://watch.example
channels:
  - {name: ops, alertmanager: ["http://127.0.0.1:9093"]}
  - {name: partner, webhook: {url: "https://partner.example/hook", secret_files: [hook]}, borders: [dostyk]}
  - {name: night, telegram: {chat: "-100", token_file: token}, severity: page}
`))
	if err != nil || len(channels) != 3 || channels[1].Wants.Borders[0] != "dostyk" || channels[2].Wants.Severity != "page" {
		t.Errorf("channels %+v, %v", channels, err)
	}
	_, err = Load(write("bad.yml", `
channels:
  - {name: "Ops!", alertmanager: ["127.0.0.1:9093"]}
  - {name: a, webhook: {url: "https://partner.example/hook"}}
  - {name: a, telegram: {chat: "1", token_file: missing}}
  - {name: b}
  - {name: c, alertmanager: ["http://x"], severity: urgent}
`))
	for _, want := range []string{"lower-case", "is no address", "secret_files", "missing", "another channel", "exactly one", "urgent"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error does not tell of %q:\n%v", want, err)
		}
	}
	if _, err := Load(write("unknown.yml", "channel: []\n")); err == nil || !strings.Contains(err.Error(), "channel") {
		t.Errorf("error %v, want the unknown word", err)
	}
	if _, err := Load(filepath.Join(dir, "none.yml")); err == nil {
		t.Error("a missing file was taken")
	}
}
