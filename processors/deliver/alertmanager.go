package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"corridorwatch/schemas/pb"
)

// alertmanager tells every replica of a Prometheus Alertmanager (API v2) what fires. It forgets what it is not told again: so all that
// fires is repeated each minute, with an end four minutes ahead, and what is resolved for a quarter of an hour, as Prometheus does.
type alertmanager struct {
	urls   []string
	page   string
	client *http.Client
	now    func() time.Time

	mu  sync.Mutex
	all map[string]posted // by fingerprint
}

// posted is an alert as it was last told, and when a former severity of it, which to an Alertmanager is another alert, ended.
type posted struct {
	alert *pb.Alert
	ended time.Time // wall time of its end; zero while it fires
	was   []former
}

type former struct {
	severity string
	ended    time.Time
}

const (
	aheadOf      = 4 * RepeatEvery
	keepResolved = 15 * time.Minute
)

func newAlertmanager(urls []string, page string) *alertmanager {
	return &alertmanager{urls: urls, page: page, client: &http.Client{}, now: time.Now, all: map[string]posted{}}
}

// Know takes note of an alert that fired before this process began.
func (m *alertmanager) Know(n Notice) { m.take(n.Alert) }

// Forget drops an alert that was taken back: a version of the program from before an upgrade told it, and the one after does not. What is
// not repeated is over for an Alertmanager.
func (m *alertmanager) Forget(fingerprint string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.all, fingerprint)
}

func (m *alertmanager) take(a *pb.Alert) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.all[a.Fingerprint]
	if old := p.alert; old != nil && old.Severity != a.Severity {
		p.was = append(p.was, former{old.Severity, m.now()})
	}
	p.was = slices.DeleteFunc(p.was, func(f former) bool { return f.severity == a.Severity })
	p.alert, p.ended = a, time.Time{}
	if !a.Firing {
		p.ended = m.now()
	}
	m.all[a.Fingerprint] = p
}

// Send counts as done when one replica at least has it: the others get it with what is repeated.
func (m *alertmanager) Send(ctx context.Context, n Notice) error {
	m.take(n.Alert)
	m.mu.Lock()
	alerts := m.render(n.Alert.Fingerprint)
	m.mu.Unlock()
	return m.post(ctx, alerts, 1)
}

// Repeat tells every replica all that fires.
func (m *alertmanager) Repeat(ctx context.Context) error {
	m.mu.Lock()
	var alerts []amAlert
	for fingerprint, p := range m.all {
		if !p.ended.IsZero() && m.now().Sub(p.ended) > keepResolved {
			delete(m.all, fingerprint)
			continue
		}
		alerts = append(alerts, m.render(fingerprint)...)
	}
	m.mu.Unlock()
	if len(alerts) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	return m.post(ctx, alerts, len(m.urls))
}

// amAlert is a postable alert of Alertmanager's API v2.
type amAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// render makes what is posted of one alert. Who it is are its labels alone, so they hold neither values nor times.
func (m *alertmanager) render(fingerprint string) []amAlert {
	p := m.all[fingerprint]
	a := p.alert
	one := amAlert{
		Labels: labels(a), StartsAt: earlier(utc(a.Since), m.now()), EndsAt: m.now().Add(aheadOf),
		Annotations: map[string]string{"summary": a.Summary, "description": a.Evidence},
	}
	if a.Restriction != "" {
		one.Annotations["restriction"] = a.Restriction
	}
	if m.page != "" {
		one.GeneratorURL = link(m.page, a)
	}
	if !p.ended.IsZero() {
		one.StartsAt, one.EndsAt = earlier(one.StartsAt, p.ended), p.ended
	}
	out := []amAlert{one}
	for _, f := range p.was {
		if m.now().Sub(f.ended) > keepResolved {
			continue
		}
		past := one
		past.Labels = labels(a)
		past.Labels["severity"], past.StartsAt, past.EndsAt = f.severity, earlier(one.StartsAt, f.ended), f.ended
		out = append(out, past)
	}
	return out
}

// earlier keeps starts before ends: the time of a replay may lie ahead of the clock, by which Alertmanager goes.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func labels(a *pb.Alert) map[string]string {
	out := map[string]string{"alertname": alertName(a.Kind), "fingerprint": a.Fingerprint}
	for name, value := range map[string]string{
		"severity": a.Severity, "area": a.Area, "border": a.Border, "side": a.Role, "direction": a.Direction, "place": a.Place, "unit": a.Unit,
		"corridor": strings.Join(a.Corridors, ","),
	} {
		if value != "" {
			out[name] = value
		}
	}
	return out
}

// alertName writes a kind, such as nothing_moving, as people of Prometheus do: NothingMoving.
func alertName(kind string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(kind, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}

// post tells every replica; it fails if fewer than enough have taken it.
func (m *alertmanager) post(ctx context.Context, alerts []amAlert, enough int) error {
	text, err := json.Marshal(alerts)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUseless, err)
	}
	errs := make(chan error, len(m.urls))
	for _, u := range m.urls {
		go func() { errs <- m.postTo(ctx, u, text) }()
	}
	var all []error
	for range m.urls {
		if err := <-errs; err != nil {
			all = append(all, err)
		}
	}
	if len(m.urls)-len(all) >= enough {
		return nil
	}
	return errors.Join(all...)
}

func (m *alertmanager) postTo(ctx context.Context, u string, text []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(u, "/")+"/api/v2/alerts", bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUseless, err)
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = post(m.client, req)
	var answer *statusError
	if errors.As(err, &answer) && answer.code == http.StatusBadRequest {
		err = fmt.Errorf("%w: %w", ErrUseless, err)
	}
	if err != nil {
		return fmt.Errorf("alertmanager %s: %w", u, err)
	}
	return nil
}
