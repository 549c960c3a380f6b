package ingest

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// Tokens are the bearer tokens of POST /v1/events. Each is bound to a prefix of sources: its holder can speak only for them.
type Tokens struct {
	prefixes map[[sha256.Size]byte]string // by hash, so that looking one up takes the same time whatever its first letters
}

// LoadTokens reads a file of tokens: a line each, the token and the prefix of its sources, with blanks between. Lines that begin
// with # are comments.
func LoadTokens(path string) (*Tokens, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer f.Close()
	t := &Tokens{prefixes: map[[sha256.Size]byte]string{}}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("%s:%d: want a token and the prefix of its sources", path, n)
		}
		if len(words[0]) < minToken {
			return nil, fmt.Errorf("%s:%d: a token of less than %d characters can be guessed", path, n, minToken)
		}
		t.prefixes[sha256.Sum256([]byte(words[0]))] = words[1]
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	if len(t.prefixes) == 0 {
		return nil, fmt.Errorf("%s: there is no token in it", path)
	}
	return t, nil
}

const minToken = 16

// prefix returns the prefix of sources for an Authorization header.
func (t *Tokens) prefix(authorization string) (string, bool) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	prefix, ok := t.prefixes[sha256.Sum256([]byte(strings.TrimSpace(token)))]
	return prefix, ok
}
