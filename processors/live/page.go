package live

import (
	"bytes"
	"embed"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"
)

// dist is the page as npm builds it; only a note that it is not committed lies there until then.
//
//go:embed all:web/dist
var dist embed.FS

// policy lets the page load what this server has, and nothing else from anywhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// indexFile is the one that is the page; it names the others.
const indexFile = "index.html"

// Page serves the operators' page, compressed to whom that is right. A program that was built without it says how to build it.
func Page() http.Handler {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic(err) // the path is a constant
	}
	_, missing := fs.Stat(files, indexFile)
	small, err := compressed(files)
	if err != nil {
		panic(err) // they lie in the program
	}
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if missing != nil {
			http.Error(w, "This program was built without the page: run 'make page' (it needs npm), then 'make build'. The same data: /api/v1/", http.StatusNotFound)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			h.Set("Cache-Control", "public, max-age=31536000, immutable") // their names change with what they hold
		} else {
			h.Set("Cache-Control", "no-cache")
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = indexFile
		}
		h.Add("Vary", "Accept-Encoding")
		if z := small[name]; z != nil && accepts(r) && r.URL.Path != "/"+indexFile { // which leads to /
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
			http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(z))
			return
		}
		server.ServeHTTP(w, r)
	})
}

// Linked leads into the page from the addresses of its views that are sent to people, as /alerts/... is: browsers do not send what is
// behind the #, where the page keeps where one is.
func Linked() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/#"+r.URL.RequestURI(), http.StatusSeeOther)
	})
}
