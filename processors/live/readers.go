package live

import (
	"errors"
	"net/http"

	"corridorwatch/internal/tokens"
)

// Readers says who may read. Anybody may where Open is set, as on an address that only this machine reaches.
type Readers struct {
	Open bool
	// Header, if set, is the one in which a reverse proxy names who has logged in; it must take it out of what comes from outside.
	Header string

	tokens tokens.List
}

// LoadTokens reads who may read by a token: a line each, token and name.
func (r *Readers) LoadTokens(path string) (err error) {
	r.tokens, err = tokens.Load(path, func(string) error { return nil })
	return err
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
	if _, ok := r.tokens.Bearer(req.Header.Get("Authorization")); ok {
		return true
	}
	c, err := req.Cookie(cookie)
	return err == nil && r.knows(c.Value)
}

func (r *Readers) knows(token string) bool {
	_, ok := r.tokens.Meaning(token)
	return ok
}
