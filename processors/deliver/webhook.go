package deliver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"corridorwatch/schemas/pb"
)

// webhook posts alerts to an address, signed as Standard Webhooks 1.0.0 says: the receiver knows who sent them, and that an id it has
// had already is a repetition.
type webhook struct {
	url     string
	secrets [][]byte
	client  *http.Client
	now     func() time.Time
}

func newWebhook(url string, secrets [][]byte, allowPrivate bool) *webhook {
	return &webhook{url: url, secrets: secrets, client: guarded(allowPrivate), now: time.Now}
}

// payload is the body, in the form that the specification recommends.
type payload struct {
	Type      string    `json:"type"`      // alert.firing, alert.updated or alert.resolved
	Timestamp time.Time `json:"timestamp"` // stage time of this version
	Data      body      `json:"data"`
}

// body is an alert as receivers read it.
type body struct {
	Fingerprint   string     `json:"fingerprint"` // the same as long as it is about the same thing
	Kind          string     `json:"kind"`
	Severity      string     `json:"severity"`
	Summary       string     `json:"summary"`
	Evidence      string     `json:"evidence"`
	Since         time.Time  `json:"since"`
	Resolved      *time.Time `json:"resolved"`
	Area          string     `json:"area,omitempty"`
	Border        string     `json:"border,omitempty"`
	Side          string     `json:"side,omitempty"`
	Direction     string     `json:"direction,omitempty"`
	Place         string     `json:"place,omitempty"`
	Unit          string     `json:"unit,omitempty"`
	Corridors     []string   `json:"corridors,omitempty"`
	Value         float64    `json:"value"`
	Baseline      float64    `json:"baseline"`
	BaselineBasis string     `json:"baseline_basis,omitempty"`
	Restriction   string     `json:"restriction,omitempty"`
}

func bodyOf(a *pb.Alert) body {
	b := body{
		Fingerprint: a.Fingerprint, Kind: a.Kind, Severity: a.Severity, Summary: a.Summary, Evidence: a.Evidence, Since: utc(a.Since),
		Area: a.Area, Border: a.Border, Side: a.Role, Direction: a.Direction, Place: a.Place, Unit: a.Unit, Corridors: a.Corridors,
		Value: a.Value, Baseline: a.Baseline, BaselineBasis: a.BaselineBasis, Restriction: a.Restriction,
	}
	if !a.Firing {
		at := utc(a.Resolved)
		b.Resolved = &at
	}
	return b
}

func utc(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// event says what a version of an alert is about.
func event(a *pb.Alert) string {
	switch {
	case !a.Firing:
		return "alert.resolved"
	case a.Revision > 1:
		return "alert.updated"
	}
	return "alert.firing"
}

func (w *webhook) Send(ctx context.Context, n Notice) error {
	text, err := json.Marshal(payload{Type: event(n.Alert), Timestamp: utc(n.Alert.Updated), Data: bodyOf(n.Alert)})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUseless, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUseless, err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", n.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", w.sign(n.ID, at, text))
	_, err = post(w.client, req)
	return err
}

// sign makes the signatures, one for each secret: HMAC-SHA256 of id.timestamp.body (Standard Webhooks 1.0.0, "Signature scheme").
func (w *webhook) sign(id, timestamp string, body []byte) string {
	var all []string
	for _, secret := range w.secrets {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(id + "." + timestamp + "."))
		mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}

// Repeat has nothing to do: what was taken is known to the receiver.
func (w *webhook) Repeat(context.Context) error { return nil }

// post sends a request and judges the answer. Beside what 410 means, no answer is final: settings on the other side are mended too.
func post(client *http.Client, req *http.Request) (answer []byte, err error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, _ = io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if res.StatusCode >= 200 && res.StatusCode < 300 {
		return answer, nil
	}
	err = &statusError{res.StatusCode, fmt.Sprintf("%s: %s", res.Status, bytes.TrimSpace(answer[:min(len(answer), 500)]))}
	if res.StatusCode == http.StatusGone {
		return answer, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	if s, e := strconv.Atoi(res.Header.Get("Retry-After")); e == nil && s > 0 {
		err = &retryAfter{min(time.Duration(s)*time.Second, longestPause), err}
	}
	return answer, err
}

// statusError is an answer that is none of success.
type statusError struct {
	code int
	text string
}

func (e *statusError) Error() string { return e.text }
