package ingest

import (
	"errors"
	"strings"

	"corridorwatch/internal/tokens"
)

// Tokens are the bearer tokens of POST /v1/events. Each is bound to a prefix of sources: its holder can speak only for them.
type Tokens struct{ list tokens.List }

// LoadTokens reads a file of tokens: a line each, the token and the prefix of its sources, with blanks between. Lines that begin
// with # are comments.
func LoadTokens(path string) (*Tokens, error) {
	list, err := tokens.Load(path, func(prefix string) error {
		if prefix == "" || strings.Contains(prefix, " ") {
			return errors.New("want a token and the prefix of its sources")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Tokens{list}, nil
}

// prefix returns the prefix of sources for an Authorization header.
func (t *Tokens) prefix(authorization string) (string, bool) { return t.list.Bearer(authorization) }
