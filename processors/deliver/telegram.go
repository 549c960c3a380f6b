package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"corridorwatch/schemas/pb"
)

// telegram writes into a chat by a bot: when an alert fires, when its severity changes and when it is resolved. Other changes would
// only be noise there.
type telegram struct {
	url, chat, page string
	client          *http.Client

	mu       sync.Mutex
	severity map[string]string // last told, by fingerprint
}

func newTelegram(api, token, chat, page string) *telegram {
	return &telegram{url: strings.TrimSuffix(api, "/") + "/bot" + token + "/sendMessage", chat: chat, page: page, client: &http.Client{}, severity: map[string]string{}}
}

// Know takes note of an alert that was told before this process began.
func (t *telegram) Know(n Notice) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.severity[n.Alert.Fingerprint] = n.Alert.Severity
}

func (t *telegram) Send(ctx context.Context, n Notice) error {
	if !t.news(n.Alert) {
		return nil
	}
	text, err := json.Marshal(map[string]any{"chat_id": t.chat, "text": t.text(n.Alert), "parse_mode": "HTML", "link_preview_options": map[string]bool{"is_disabled": true}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUseless, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("%w: %s", ErrUseless, t.hide(err))
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := post(t.client, req)
	if err != nil {
		var wait struct {
			Parameters struct {
				RetryAfter int `json:"retry_after"`
			} `json:"parameters"`
		}
		err := errors.New(t.hide(err))
		if json.Unmarshal(answer, &wait) == nil && wait.Parameters.RetryAfter > 0 {
			return &retryAfter{time.Duration(wait.Parameters.RetryAfter) * time.Second, err}
		}
		return err
	}
	t.told(n.Alert)
	return nil
}

// Repeat has nothing to do.
func (t *telegram) Repeat(context.Context) error { return nil }

// hide keeps the token, which is part of the address, out of errors.
func (t *telegram) hide(err error) string {
	return strings.ReplaceAll(err.Error(), t.url, "sendMessage")
}

func (t *telegram) news(a *pb.Alert) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !a.Firing || a.Revision <= 1 || t.severity[a.Fingerprint] != a.Severity
}

func (t *telegram) told(a *pb.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.Firing {
		t.severity[a.Fingerprint] = a.Severity
	} else {
		delete(t.severity, a.Fingerprint)
	}
}

// mostText is the longest message that Telegram takes, in characters.
const mostText = 4096

func (t *telegram) text(a *pb.Alert) string {
	head := map[string]string{"alert.firing": "🔴", "alert.updated": "🔺", "alert.resolved": "✅ resolved:"}[event(a)]
	var b strings.Builder
	fmt.Fprintf(&b, "%s <b>%s</b>\n", head, html.EscapeString(a.Summary))
	fmt.Fprintf(&b, "since %s", utc(a.Since).Format("2006-01-02 15:04 UTC"))
	if !a.Firing {
		fmt.Fprintf(&b, ", until %s", utc(a.Resolved).Format("2006-01-02 15:04 UTC"))
	}
	if a.Restriction != "" {
		fmt.Fprintf(&b, "\nin force: %s", html.EscapeString(a.Restriction))
	}
	tail := ""
	if t.page != "" {
		tail = fmt.Sprintf("\n<a href=\"%s\">details</a>", html.EscapeString(link(t.page, a)))
	}
	room := mostText - utf8.RuneCountInString(b.String()) - utf8.RuneCountInString(tail) - 2
	evidence := []rune(a.Evidence)
	for len(evidence) > 0 && utf8.RuneCountInString(html.EscapeString(string(evidence))) > room {
		evidence = evidence[:len(evidence)*3/4]
	}
	if len(evidence) > 0 {
		b.WriteString("\n" + html.EscapeString(string(evidence)))
	}
	return b.String() + tail
}

// link is where the operators' page shows an alert.
func link(page string, a *pb.Alert) string {
	return strings.TrimSuffix(page, "/") + "/alerts/" + url.PathEscape(a.Fingerprint)
}
