package schemas

import (
	"bytes"
	"fmt"
	"strconv"
)

func readList(s *scanner, element func() *Fault) *Fault {
	if f := s.open('[', "a list"); f != nil {
		return f
	}
	for i := 0; ; i++ {
		more, f := s.more(i == 0, ']')
		if f != nil || !more {
			return f
		}
		if s.space(); s.peek() == 'n' {
			return impossible("null is not an element").under("[" + strconv.Itoa(i) + "]")
		}
		if f := element(); f != nil {
			return f.under("[" + strconv.Itoa(i) + "]")
		}
	}
}

func readText(s *scanner) (string, *Fault) {
	switch c := s.peek(); {
	case c == '"':
		t, f := s.text()
		return string(bytes.TrimSpace(t)), f
	case c == '-' || c >= '0' && c <= '9':
		n, f := s.number()
		return string(n), f
	case validStart(c):
		return "", impossible("must be a text in quotes")
	}
	return "", s.broken("a text")
}

func readNumber(s *scanner) ([]byte, *Fault) {
	c := s.peek()
	if c != '-' && (c < '0' || c > '9') && validStart(c) {
		return nil, impossible("must be a number, without quotes")
	}
	return s.number()
}

func readTime(s *scanner) (ms int64, offsetMin int32, f *Fault) {
	if c := s.peek(); c != '"' {
		if validStart(c) {
			return 0, 0, impossible("must be an RFC 3339 time in quotes")
		}
		return 0, 0, s.broken("a time in quotes")
	}
	t, f := s.text()
	if f != nil {
		return 0, 0, f
	}
	ms, offsetMin, ok := ParseTime(t)
	if !ok {
		return 0, 0, impossible(fmt.Sprintf("%q is not an RFC 3339 time with an offset, such as 2026-03-01T08:15:00+05:00", clip(string(t), 60)))
	}
	return ms, offsetMin, checkTime(ms)
}

func checkTime(ms int64) *Fault {
	if !IsTime(ms) {
		return impossible("lies before 2000 or after 2199: is the sender's clock set?")
	}
	return nil
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "..."
}
