package live

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// accepts tells whether a client takes an answer that gzip has compressed (RFC 9110, section 12.5.3).
func accepts(r *http.Request) bool {
	for _, header := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(header, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
				continue
			}
			q, weighed := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			wanted, err := strconv.ParseFloat(q, 64)
			return !weighed || err == nil && wanted > 0
		}
	}
	return false
}

// compressed takes out of a tree the files that gzip makes smaller, as it makes them.
func compressed(files fs.FS) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		var small bytes.Buffer
		if err := squeeze(&small, bytes.NewReader(plain), gzip.BestCompression); err != nil {
			return fmt.Errorf("compress %s: %w", path, err)
		}
		if small.Len() < len(plain) {
			out[path] = small.Bytes()
		}
		return nil
	})
	return out, err
}

// squeeze copies through gzip.
func squeeze(to io.Writer, from io.Reader, level int) error {
	z, err := gzip.NewWriterLevel(to, level)
	if err != nil {
		return err
	}
	if _, err := io.Copy(z, from); err != nil {
		return err
	}
	return z.Close()
}
