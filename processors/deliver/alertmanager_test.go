package deliver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"corridorwatch/internal/alertmanagertest"
	"corridorwatch/schemas/pb"
)

// TestAlertmanager tells a real Alertmanager that an alert fires, again, that it is more severe, and that it is over; what that sends on
// is one notification for each, and none for the repetition.
func TestAlertmanager(t *testing.T) {
	var mu sync.Mutex
	var got []string
	changed := make(chan struct{}, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct {
			Alerts []struct {
				Status      string            `json:"status"`
				Labels      map[string]string `json:"labels"`
				Annotations map[string]string `json:"annotations"`
			} `json:"alerts"`
		}
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		mu.Lock()
		for _, a := range m.Alerts {
			got = append(got, strings.Join([]string{a.Status, a.Labels["alertname"], a.Labels["severity"], a.Labels["border"], a.Annotations["summary"]}, " "))
		}
		mu.Unlock()
		changed <- struct{}{}
	}))
	defer hook.Close()
	await := func(want string) {
		t.Helper()
		limit := time.After(time.Minute)
		for {
			mu.Lock()
			found := slices.Contains(got, want)
			mu.Unlock()
			if found {
				return
			}
			select {
			case <-changed:
			case <-limit:
				mu.Lock()
				defer mu.Unlock()
				t.Fatalf("Alertmanager sent %q, want %q", got, want)
			}
		}
	}
	dead := httptest.NewServer(http.NotFoundHandler()) // the other replica is away
	dead.Close()
	at := alertmanagertest.Start(t, hook.URL)
	m := newAlertmanager([]string{dead.URL, at}, "https://watch.example")
	ctx := t.Context()
	summary := overdue(1, "", true).Summary
	send := func(a *pb.Alert) {
		t.Helper()
		if err := m.Send(ctx, Notice{"f00d", a}); err != nil {
			t.Fatal(err)
		}
	}
	send(overdue(1, "ticket", true))
	await("firing Overdue ticket dostyk " + summary)
	if err := m.Repeat(ctx); err == nil {
		t.Error("a replica that is away was not told of")
	}
	send(overdue(2, "ticket", true))
	send(overdue(3, "page", true))
	await("firing Overdue page dostyk " + summary)
	await("resolved Overdue ticket dostyk " + summary)
	m.Know(Notice{"f00d", overdue(3, "page", true)}) // as after a restart
	ahead := overdue(4, "page", false)               // by the time of a replay
	ahead.Since = time.Now().Add(time.Hour).UnixMilli()
	send(ahead)
	await("resolved Overdue page dostyk " + summary)

	mu.Lock()
	defer mu.Unlock()
	slices.Sort(got)
	if got = slices.Compact(got); len(got) != 4 {
		t.Errorf("Alertmanager sent %q, want each severity firing and resolved", got)
	}
}

// TestAlertmanagerRefuses: what it calls invalid it will never take.
func TestAlertmanagerRefuses(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "at least one label pair required", http.StatusBadRequest)
	}))
	defer server.Close()
	if err := newAlertmanager([]string{server.URL}, "").Send(t.Context(), Notice{"f00d", overdue(1, "page", true)}); !errors.Is(err, ErrUseless) {
		t.Errorf("error %v, want that it is never taken", err)
	}
}
