package schemas

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner reads JSON (RFC 8259) from left to right without building anything. Every byte it steps over is checked, also within
// values that nobody wants, so a text is accepted here exactly if it is JSON, nested no deeper than maxDepth.
type scanner struct {
	b     []byte
	i     int
	depth int
}

const maxDepth = 64

func (s *scanner) broken(want string) *Fault {
	if s.i >= len(s.b) {
		return &Fault{Reason: Unreadable, Detail: fmt.Sprintf("the JSON text ends at byte %d where %s is due", s.i, want)}
	}
	return &Fault{Reason: Unreadable, Detail: fmt.Sprintf("not JSON at byte %d: %q where %s is due", s.i, s.b[s.i], want)}
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek is the first byte of what comes next, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) open(c byte, want string) *Fault {
	if s.peek() != c {
		if s.i < len(s.b) && validStart(s.b[s.i]) {
			return impossible("this must be " + want)
		}
		return s.broken(want)
	}
	if s.depth++; s.depth > maxDepth {
		return &Fault{Reason: Unreadable, Detail: fmt.Sprintf("nested deeper than %d levels", maxDepth)}
	}
	s.i++
	return nil
}

// validStart tells whether a JSON value can begin with c.
func validStart(c byte) bool {
	return c == '"' || c == '{' || c == '[' || c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n'
}

// more steps to the next member or element of what was opened, or over its end.
func (s *scanner) more(first bool, end byte) (bool, *Fault) {
	c := s.peek()
	if c == end {
		s.i++
		s.depth--
		return false, nil
	}
	if first {
		return true, nil
	}
	if c != ',' {
		return false, s.broken("',' or '" + string(end) + "'")
	}
	s.i++
	return true, nil
}

// key returns the name of an object's next member, or more = false over the object's end.
func (s *scanner) key(first bool) (key []byte, more bool, f *Fault) {
	if more, f = s.more(first, '}'); f != nil || !more {
		return nil, false, f
	}
	if s.peek() != '"' {
		return nil, false, s.broken("a name in quotes")
	}
	if key, f = s.text(); f != nil {
		return nil, false, f
	}
	if s.peek() != ':' {
		return nil, false, s.broken("':'")
	}
	s.i++
	return key, true, nil
}

// text reads a string. The result points into the input unless there are escapes.
func (s *scanner) text() ([]byte, *Fault) {
	s.i++
	from, ascii := s.i, true
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			t := s.b[from:s.i]
			if !ascii && !utf8.Valid(t) {
				return nil, &Fault{Reason: Unreadable, Detail: fmt.Sprintf("the text at byte %d is not UTF-8", from)}
			}
			s.i++
			return t, nil
		case c == '\\':
			return s.escaped(from)
		case c < ' ':
			return nil, s.broken("'\"' (control characters are written as escapes)")
		case c >= utf8.RuneSelf:
			ascii = false
		}
		s.i++
	}
	return nil, s.broken("'\"'")
}

// escaped goes on with a string, of which s.b[from:s.i] is read, at its first escape.
func (s *scanner) escaped(from int) ([]byte, *Fault) {
	out := append(make([]byte, 0, 2*(s.i-from)+16), s.b[from:s.i]...)
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			if !utf8.Valid(out) {
				return nil, &Fault{Reason: Unreadable, Detail: fmt.Sprintf("the text at byte %d is not UTF-8", from)}
			}
			s.i++
			return out, nil
		case c == '\\':
			r, f := s.escape()
			if f != nil {
				return nil, f
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			return nil, s.broken("'\"' (control characters are written as escapes)")
		default:
			out = append(out, c)
			s.i++
		}
	}
	return nil, s.broken("'\"'")
}

// escape reads one escape; half a surrogate pair becomes U+FFFD.
func (s *scanner) escape() (rune, *Fault) {
	if s.i++; s.i >= len(s.b) {
		return 0, s.broken("an escape")
	}
	c := s.b[s.i]
	switch c {
	case '"', '\\', '/':
	case 'b':
		c = '\b'
	case 'f':
		c = '\f'
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'u':
		r, ok := s.hex4()
		if !ok {
			return 0, s.broken("four hexadecimal digits")
		}
		if !utf16.IsSurrogate(r) {
			return r, nil
		}
		if mark := s.i; s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
			s.i++
			if low, ok := s.hex4(); ok {
				if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
					return both, nil
				}
			}
			s.i = mark
		}
		return utf8.RuneError, nil
	default:
		return 0, s.broken("an escape such as \\n")
	}
	s.i++
	return rune(c), nil
}

// hex4 reads the four digits behind the u at s.i.
func (s *scanner) hex4() (r rune, ok bool) {
	s.i++
	for range 4 {
		if s.i >= len(s.b) {
			return 0, false
		}
		switch c := s.b[s.i]; {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
		s.i++
	}
	return r, true
}

// number reads a number and returns its text.
func (s *scanner) number() ([]byte, *Fault) {
	from := s.i
	if s.i < len(s.b) && s.b[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.b) && s.b[s.i] == '0' {
		s.i++
	} else if !s.digits() {
		return nil, s.broken("a number")
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		if s.i++; !s.digits() {
			return nil, s.broken("a digit")
		}
	}
	if s.i < len(s.b) && s.b[s.i]|0x20 == 'e' {
		if s.i++; s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !s.digits() {
			return nil, s.broken("a digit")
		}
	}
	return s.b[from:s.i], nil
}

func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

// word steps over true, false or null.
func (s *scanner) word(w string) *Fault {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return s.broken(w)
	}
	s.i += len(w)
	return nil
}

// skip steps over any value.
func (s *scanner) skip() *Fault {
	switch c := s.peek(); c {
	case '{':
		return s.skipObject()
	case '[':
		return s.skipList()
	case '"':
		_, f := s.text()
		return f
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			_, f := s.number()
			return f
		}
		return s.broken("a value")
	}
}

func (s *scanner) skipObject() *Fault {
	if f := s.open('{', "an object"); f != nil {
		return f
	}
	for first := true; ; first = false {
		_, more, f := s.key(first)
		if f != nil || !more {
			return f
		}
		if f := s.skip(); f != nil {
			return f
		}
	}
}

func (s *scanner) skipList() *Fault {
	if f := s.open('[', "a list"); f != nil {
		return f
	}
	for first := true; ; first = false {
		more, f := s.more(first, ']')
		if f != nil || !more {
			return f
		}
		if f := s.skip(); f != nil {
			return f
		}
	}
}

// end makes sure that nothing follows.
func (s *scanner) end() *Fault {
	if s.space(); s.i < len(s.b) {
		return s.broken("the end")
	}
	return nil
}
