package live

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "readers")
	if err := os.WriteFile(path, []byte("# people\n0123456789abcdef dispatcher at Dostyk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	closed := &Readers{}
	if err := closed.LoadTokens(path); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what   string
		r      *Readers
		header http.Header
		path   string
		want   int
	}{
		{"nobody", closed, nil, "/x", http.StatusUnauthorized},
		{"a token", closed, http.Header{"Authorization": {"Bearer 0123456789abcdef"}}, "/x", http.StatusOK},
		{"another token", closed, http.Header{"Authorization": {"Bearer 0123456789abcdee"}}, "/x", http.StatusUnauthorized},
		{"a cookie", closed, http.Header{"Cookie": {cookie + "=0123456789abcdef"}}, "/x", http.StatusOK},
		{"a browser's first visit", closed, nil, "/x?a=1&token=0123456789abcdef", http.StatusSeeOther},
		{"one with a wrong token", closed, nil, "/x?token=0123456789abcdee", http.StatusUnauthorized},
		{"logged in at the proxy", &Readers{Header: "X-User"}, http.Header{"X-User": {"aigerim"}}, "/x", http.StatusOK},
		{"not logged in", &Readers{Header: "X-User"}, nil, "/x", http.StatusUnauthorized},
		{"a header nobody vouches for", closed, http.Header{"X-User": {"aigerim"}}, "/x", http.StatusUnauthorized},
		{"on this machine alone", &Readers{Open: true}, nil, "/x", http.StatusOK},
		{"no tokens at all", &Readers{}, http.Header{"Authorization": {"Bearer "}}, "/x", http.StatusUnauthorized},
	} {
		req := httptest.NewRequest(http.MethodGet, c.path, nil)
		if c.header != nil {
			req.Header = c.header
		}
		got := httptest.NewRecorder()
		c.r.Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(got, req)
		if got.Code != c.want {
			t.Errorf("%s: %d, want %d", c.what, got.Code, c.want)
		}
		if got.Code == http.StatusSeeOther && (got.Header().Get("Location") != "/x?a=1" || !strings.Contains(got.Header().Get("Set-Cookie"), "HttpOnly")) {
			t.Errorf("%s: %v", c.what, got.Header())
		}
	}
	if err := os.WriteFile(path, []byte("short x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := new(Readers).LoadTokens(path); err == nil || !strings.Contains(err.Error(), "openssl") {
		t.Errorf("a short token: %v", err)
	}
}
