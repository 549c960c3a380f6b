package network

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// word is a text of a file and the line it stands on.
type word struct {
	text string
	line int
}

// fields reads the mapping of one entry key by key. It knows the line of every value, and at the end complains of keys nobody asked
// for: a misspelt key must not be ignored in silence.
type fields struct {
	l      *loader
	file   string
	line   int
	what   string // "place kz-dostyk", in messages
	keys   map[string]*yaml.Node
	order  []string
	asked  []string
	norms  normDefaults
	broken bool // something has been complained of
}

// entry opens a mapping. It is nil, and the problem noted, if n is something else.
func (l *loader) entry(file string, n *yaml.Node, what string) *fields {
	n = target(n)
	if n.Kind != yaml.MappingNode {
		l.bad(file, n.Line, "%s: write keys and values here, like {id: kz-dostyk}", what)
		return nil
	}
	f := &fields{l: l, file: file, line: n.Line, what: what, keys: map[string]*yaml.Node{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], target(n.Content[i+1])
		if f.keys[key.Value] != nil {
			f.bad(key.Line, "%s is there twice: remove one", key.Value)
			continue
		}
		f.keys[key.Value] = value
		f.order = append(f.order, key.Value)
	}
	return f
}

// target follows aliases (*name) to what they stand for.
func target(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func (f *fields) bad(line int, format string, args ...any) {
	f.broken = true
	f.l.bad(f.file, line, "%s: %s", f.what, fmt.Sprintf(format, args...))
}

// at is the line of a key's value, of the entry where the key is missing.
func (f *fields) at(key string) int {
	if n := f.keys[key]; n != nil && n.Line > 0 {
		return n.Line
	}
	return f.line
}

func (f *fields) get(key string) *yaml.Node {
	f.asked = append(f.asked, key)
	n := f.keys[key]
	if n != nil && n.Kind == yaml.ScalarNode && (n.Tag == "!!null" || n.Value == "") {
		return nil // "key:" without a value
	}
	return n
}

// text reads a text; empty if the key is missing.
func (f *fields) text(key string) string {
	n := f.get(key)
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		f.bad(n.Line, "%s wants one value", key)
		return ""
	}
	return n.Value
}

// number reads a number; 0 and false if the key is missing or no number.
func (f *fields) number(key string) (float64, bool) {
	n := f.get(key)
	if n == nil {
		return 0, false
	}
	return f.parse(key, n)
}

func (f *fields) parse(key string, n *yaml.Node) (float64, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(n.Value), 64)
	if n.Kind != yaml.ScalarNode || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		f.bad(n.Line, "%s %q: write a number", key, n.Value)
		return 0, false
	}
	return v, true
}

// positive reads a number from just above 0 to most; 0 if the key is missing.
func (f *fields) positive(key, unit string, most float64) float64 {
	v, ok := f.number(key)
	if ok && (v <= 0 || v > most) {
		f.bad(f.at(key), "%s %v: write more than 0 and at most %v %s", key, v, most, unit)
		return 0
	}
	return v
}

func (f *fields) truth(key string) bool {
	switch v := f.text(key); v {
	case "", "false":
		return false
	case "true":
		return true
	default:
		f.bad(f.at(key), "%s %q: write true or false", key, v)
		return false
	}
}

// choice reads one of several words; the first is the default.
func (f *fields) choice(key string, of ...string) string {
	v := f.text(key)
	if v == "" {
		return of[0]
	}
	if !slices.Contains(of, v) {
		f.bad(f.at(key), "%s %q: write one of %s", key, v, strings.Join(of, ", "))
	}
	return v
}

// items reads a list; one value alone is a list of one.
func (f *fields) items(key string) []*yaml.Node {
	n := f.get(key)
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		out := make([]*yaml.Node, len(n.Content))
		for i, c := range n.Content {
			out[i] = target(c)
		}
		return out
	case n.Kind == yaml.ScalarNode:
		return []*yaml.Node{n}
	}
	f.bad(n.Line, "%s wants a list, like [a, b]", key)
	return nil
}

func (f *fields) words(key string) []word {
	var out []word
	for _, n := range f.items(key) {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			f.bad(n.Line, "%s wants words only", key)
			continue
		}
		out = append(out, word{n.Value, n.Line})
	}
	return out
}

// sub opens the mapping below a key; nil if there is none.
func (f *fields) sub(key string) *fields {
	n := f.get(key)
	if n == nil {
		return nil
	}
	return f.l.entry(f.file, n, f.what+": "+key)
}

// finish complains of keys that mean nothing, and tells whether the entry is free of problems.
func (f *fields) finish() bool {
	for _, key := range f.order {
		if !slices.Contains(f.asked, key) {
			f.bad(f.at(key), "key %q means nothing: use %s", key, strings.Join(f.asked, ", "))
		}
	}
	return !f.broken
}

func texts(words []word) []string {
	var out []string
	for _, w := range words {
		out = append(out, w.text)
	}
	return out
}
