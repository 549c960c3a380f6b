package engine

import "strings"

// statement is what must be known of a statement before it goes to the engine: the engine takes the output format, and the data of
// an INSERT, apart from the text.
type statement struct {
	text   string
	first  []string // the first words, upper case: at most three
	format string   // of the FORMAT clause, or empty
	insert bool     // an INSERT that takes data, not one from a SELECT

	// For an INSERT with data: text[:head] is the statement without FORMAT or VALUES, and data begins at text[data:].
	head, data int
}

// parse reads as much of a statement as it needs: words outside of quotes, comments and brackets.
func parse(text string) statement {
	s := statement{text: text}
	l := lexer{text: text}
	var last [2]token
	for {
		t, ok := l.next()
		if !ok {
			break
		}
		if t.depth > 0 {
			continue
		}
		if t.word && len(s.first) < 3 {
			s.first = append(s.first, t.upper)
		}
		if s.first == nil || s.first[0] != "INSERT" {
			s.trailingFormat(last, t)
			last[0], last[1] = last[1], t
			continue
		}
		if done := s.insertWord(&l, last[1], t); done {
			return s
		}
		last[0], last[1] = last[1], t
	}
	s.trailingFormat(last, token{upper: ";"})
	if len(s.first) > 0 && s.first[0] == "INSERT" && !s.fromSelect() {
		s.insert, s.head, s.data = true, len(text), len(text)
	}
	return s
}

// trailingFormat takes FORMAT name, where it stands at the end of a statement or before SETTINGS. A column may be called format.
func (s *statement) trailingFormat(last [2]token, t token) {
	if last[0].upper == "FORMAT" && last[0].word && last[1].word && (t.upper == ";" || t.upper == "SETTINGS") {
		s.format = last[1].text
	}
}

// insertWord looks at one word of an INSERT, and says whether it was the last that matters: what follows it is data or a SELECT.
func (s *statement) insertWord(l *lexer, before, t token) (done bool) {
	named := !t.word || before.upper == "INSERT" || before.upper == "INTO" || before.upper == "TABLE" || before.upper == "FUNCTION" || before.upper == "."
	switch {
	case named:
		return false
	case t.upper == "SELECT" || t.upper == "WITH":
		s.first = append(s.first[:1:1], "SELECT")
		return true
	case t.upper == "VALUES":
		s.insert, s.format, s.head, s.data = true, "Values", t.at, l.at
		return true
	case t.upper == "FORMAT":
		name, ok := l.next()
		if !ok || !name.word {
			return false
		}
		s.insert, s.format, s.head, s.data = true, name.text, t.at, l.at+blanks(l.text[l.at:])
		return true
	}
	return false
}

// blanks is the length of what stands between the name of a format and the data: blanks, and one line end.
func blanks(s string) int {
	n := len(s) - len(strings.TrimLeft(s, " \t\r"))
	if n < len(s) && s[n] == '\n' {
		n++
	}
	return n
}

func (s *statement) fromSelect() bool { return len(s.first) > 1 && s.first[1] == "SELECT" }

// is tells whether the statement begins with these words.
func (s *statement) is(words ...string) bool {
	if len(s.first) < len(words) {
		return false
	}
	for i, w := range words {
		if s.first[i] != w {
			return false
		}
	}
	return true
}

// token is a word or a single sign of a statement. A quoted name is a sign: it is never a keyword.
type token struct {
	text, upper string
	at          int
	word        bool
	depth       int // of round, square and curly brackets
}

type lexer struct {
	text  string
	at    int
	depth int
}

// next is the next token; comments and blanks are skipped.
func (l *lexer) next() (token, bool) {
	l.skip()
	if l.at >= len(l.text) {
		return token{}, false
	}
	start := l.at
	switch c := l.text[start]; {
	case isWord(c):
		for l.at < len(l.text) && isWord(l.text[l.at]) {
			l.at++
		}
		text := l.text[start:l.at]
		return token{text, strings.ToUpper(text), start, true, l.depth}, true
	case c == '\'' || c == '"' || c == '`':
		l.quoted(c)
		return token{text: l.text[start:l.at], at: start, depth: l.depth}, true
	case c == '(' || c == '[' || c == '{':
		l.depth++
	case c == ')' || c == ']' || c == '}':
		l.depth--
		l.at++
		return token{text: l.text[start:l.at], upper: l.text[start:l.at], at: start, depth: l.depth + 1}, true
	}
	l.at++
	return token{text: l.text[start:l.at], upper: l.text[start:l.at], at: start, depth: l.depth}, true
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// quoted moves past a quoted string or name; the quote is escaped by a backslash or by doubling it.
func (l *lexer) quoted(quote byte) {
	for l.at++; l.at < len(l.text); l.at++ {
		switch l.text[l.at] {
		case '\\':
			l.at++
		case quote:
			l.at++
			return // a doubled quote reads as two strings side by side, which makes no difference here
		}
	}
	l.at = min(l.at, len(l.text))
}

// skip moves past blanks and comments: -- and # to the end of the line, /* to */.
func (l *lexer) skip() {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])):
			l.at++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			l.past(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			l.past(rest, "*/")
		default:
			return
		}
	}
}

func (l *lexer) past(rest, end string) {
	if i := strings.Index(rest, end); i >= 0 {
		l.at += i + len(end)
		return
	}
	l.at = len(l.text)
}
