package live

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestPageCompressed: whoever takes gzip gets the page compressed, and the same bytes in it as whoever does not.
func TestPageCompressed(t *testing.T) {
	page := Page()
	get := func(path, accept string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		page.ServeHTTP(w, r)
		return w.Result()
	}
	plain := get("/", "")
	if plain.StatusCode == http.StatusNotFound {
		t.Skip("built without the page: make page")
	}
	want, err := io.ReadAll(plain.Body)
	if err != nil || len(want) == 0 || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("the plain page: %d bytes, %v, %v", len(want), plain.Header, err)
	}
	small := get("/", "br, GZIP;q=0.5")
	if small.Header.Get("Content-Encoding") != "gzip" || small.Header.Get("Vary") != "Accept-Encoding" || small.Header.Get("Content-Type") != plain.Header.Get("Content-Type") {
		t.Errorf("headers %v", small.Header)
	}
	z, err := gzip.NewReader(small.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != string(want) {
		t.Errorf("compressed it is another page (%v):\n%s", err, got)
	}
	for _, accept := range []string{"gzip;q=0", "identity", "gzipped"} {
		if got := get("/", accept).Header.Get("Content-Encoding"); got != "" {
			t.Errorf("%q got %s", accept, got)
		}
	}
	if got := get("/assets/nothing.js", "gzip"); got.StatusCode != http.StatusNotFound || got.Header.Get("Content-Encoding") != "" || got.Header.Get("Cache-Control") != "" {
		t.Errorf("a file that is not there: %s %v", got.Status, got.Header)
	}
}
