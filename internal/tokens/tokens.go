// Package tokens reads files of bearer tokens: a line each, the token and what it stands for, with blanks between. Lines that begin with #
// are comments.
package tokens

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// List is what each token stands for. It holds their sums alone: how long it takes to look one up tells nothing of its letters.
type List struct {
	meaning map[[sha256.Size]byte]string
}

// shortest is how many characters a token has at least: a shorter one can be guessed.
const shortest = 16

// Load reads a file. Check says what is wrong with what a token stands for.
func Load(path string, check func(meaning string) error) (List, error) {
	f, err := os.Open(path)
	if err != nil {
		return List{}, fmt.Errorf("read tokens: %w", err)
	}
	defer f.Close()
	l := List{map[[sha256.Size]byte]string{}}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		meaning := strings.Join(words[1:], " ")
		if err := check(meaning); err != nil {
			return List{}, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if len(words[0]) < shortest {
			return List{}, fmt.Errorf("%s:%d: a token of less than %d characters can be guessed: make one with: openssl rand -hex 16", path, n, shortest)
		}
		l.meaning[sha256.Sum256([]byte(words[0]))] = meaning
	}
	if err := lines.Err(); err != nil {
		return List{}, fmt.Errorf("read tokens: %w", err)
	}
	if len(l.meaning) == 0 {
		return List{}, fmt.Errorf("%s: there is no token in it", path)
	}
	return l, nil
}

// Meaning returns what a token stands for.
func (l List) Meaning(token string) (string, bool) {
	meaning, ok := l.meaning[sha256.Sum256([]byte(token))]
	return meaning, ok
}

// Bearer returns what the token of an Authorization header stands for.
func (l List) Bearer(header string) (string, bool) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return l.Meaning(strings.TrimSpace(token))
}
