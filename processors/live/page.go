package live

import (
	"embed"
	"io/fs"
	"net/http"
)

// dist is the page as npm builds it; only a note that it is not committed lies there until then.
//
//go:embed all:web/dist
var dist embed.FS

// policy lets the page load what this server has, and nothing else from anywhere.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page serves the operators' page. A program that was built without it says how to build it.
func Page() http.Handler {
	files, err := fs.Sub(dist, "web/dist")
	if err != nil {
		panic(err) // the path is a constant
	}
	_, missing := fs.Stat(files, "index.html")
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
		if r.URL.Path == "/" {
			h.Set("Cache-Control", "no-cache")
		} else {
			h.Set("Cache-Control", "public, max-age=31536000, immutable") // their names change with what they hold
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
