package live

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Readers says who may read. Anybody may where Open is set, as on an address that only this machine reaches.
type Readers struct {
	Open bool
	// Header, if set, is the one in which a reverse proxy names who has logged in; it must take it out of what comes from outside.
	Header string

	tokens map[[sha256.Size]byte]string
}

// LoadTokens reads who may read by a token: a line each, token and name.
func (r *Readers) LoadTokens(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("tokens of readers: %w", err)
	}
	defer f.Close()
	r.tokens = map[[sha256.Size]byte]string{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		token, name, _ := strings.Cut(text, " ")
		if len(token) < 16 {
			return fmt.Errorf("%s:%d: a token has 16 characters at least: make one with: openssl rand -hex 16", path, n)
		}
		r.tokens[sha256.Sum256([]byte(token))] = strings.TrimSpace(name)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("tokens of readers: %w", err)
	}
	return nil
}

// cookie keeps the token of a browser, which cannot send it with a stream of events.
const cookie = "corridorwatch_token"

// Guard lets only readers through. A browser gives its token once, as ?token=..., and keeps it as a cookie.
func (r *Readers) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch token, given := req.URL.Query()["token"]; {
		case r.Open, r.Header != "" && req.Header.Get(r.Header) != "":
			next.ServeHTTP(w, req)
		case given && r.knows(token[0]):
			http.SetCookie(w, &http.Cookie{Name: cookie, Value: token[0], Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
				Secure: req.TLS != nil || req.Header.Get("X-Forwarded-Proto") == "https", MaxAge: 30 * 24 * 3600})
			to := *req.URL
			query := to.Query()
			query.Del("token")
			to.RawQuery = query.Encode()
			w.Header().Set("Referrer-Policy", "no-referrer")
			http.Redirect(w, req, to.RequestURI(), http.StatusSeeOther)
		case r.allows(req):
			next.ServeHTTP(w, req)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="corridorwatch"`)
			fail(w, http.StatusUnauthorized, errors.New("send a token, as 'Authorization: Bearer ...', or log in at the proxy; "+
				"CORRIDORWATCH_READERS_FILE and CORRIDORWATCH_READERS_HEADER say who may read"))
		}
	})
}

func (r *Readers) allows(req *http.Request) bool {
	if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		return r.knows(token)
	}
	c, err := req.Cookie(cookie)
	return err == nil && r.knows(c.Value)
}

// knows compares sums: how long that takes tells nothing of the tokens.
func (r *Readers) knows(token string) bool {
	_, ok := r.tokens[sha256.Sum256([]byte(token))]
	return ok
}
