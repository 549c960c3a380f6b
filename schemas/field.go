package schemas

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// field describes one member of a JSON object and ties it to a message M. Reading, writing, checking and the documentation are all
// made from it, so they cannot drift apart.
type field[M any] struct {
	name string
	kind string // of the value, for people: "text", "time", "place" ...
	doc  string
	need bool
	// given tells whether the message holds a value. Nil for plain numbers, where 0 is a value: then the JSON text decides.
	given func(m *M) bool
	trim  func(m *M)        // nil: the value holds no text
	check func(m *M) *Fault // nil: every value is possible
	read  func(s *scanner, m *M) *Fault
	write func(w *writer, m *M) // the value; called when given (or given is nil)
	parts []part                // of an object within a list, for the documentation
}

// part is what the documentation says about a field.
type part struct {
	name, kind, doc string
	need            bool
	parts           []part
}

func (f field[M]) required() field[M] { f.need = true; return f }

type shape[M any] []field[M]

// read reads an object. Fields it does not know are stepped over; null means not given.
func (sh shape[M]) read(s *scanner, m *M) *Fault {
	if f := s.open('{', "an object"); f != nil {
		return f
	}
	var seen uint32
	for first := true; ; first = false {
		key, more, f := s.key(first)
		if f != nil {
			return f
		}
		if !more {
			break
		}
		i := sh.index(key)
		if i < 0 || s.peek() == 'n' {
			if f := s.skip(); f != nil {
				return f
			}
			continue
		}
		if f := sh[i].read(s, m); f != nil {
			return f.under(sh[i].name)
		}
		seen |= 1 << i
	}
	for i := range sh {
		if sh[i].need && sh[i].given == nil && seen&(1<<i) == 0 {
			return missing(sh[i].name, sh[i].doc)
		}
	}
	return nil
}

func (sh shape[M]) index(key []byte) int {
	for i := range sh {
		if string(key) == sh[i].name {
			return i
		}
	}
	return -1
}

// trim takes the blanks off all texts, which reading JSON does too.
func (sh shape[M]) trim(m *M) {
	for i := range sh {
		if sh[i].trim != nil {
			sh[i].trim(m)
		}
	}
}

// check finds the first field that is missing or impossible.
func (sh shape[M]) check(m *M) *Fault {
	for i := range sh {
		fd := &sh[i]
		if fd.given != nil && !fd.given(m) {
			if fd.need {
				return missing(fd.name, fd.doc)
			}
			continue
		}
		if fd.check != nil {
			if f := fd.check(m); f != nil {
				return f.under(fd.name)
			}
		}
	}
	return nil
}

func (sh shape[M]) write(w *writer, m *M) {
	w.begin('{')
	for i := range sh {
		if sh[i].given == nil || sh[i].given(m) {
			w.key(sh[i].name)
			sh[i].write(w, m)
		}
	}
	w.end('}')
}

func (sh shape[M]) describe() []part {
	parts := make([]part, 0, len(sh))
	for _, f := range sh {
		parts = append(parts, part{name: f.name, kind: f.kind, doc: f.doc, need: f.need, parts: f.parts})
	}
	return parts
}

func missing(name, doc string) *Fault {
	return &Fault{Reason: MissingField, Path: name, Detail: "add " + strconv.Quote(name) + " (" + doc + ")"}
}

// textField is a string. Numbers are taken literally: exports from spreadsheets write wagon numbers and codes as numbers.
func textField[M any](name, kind, doc string, at func(*M) *string) field[M] {
	return field[M]{
		name: name, kind: kind, doc: doc,
		given: func(m *M) bool { return *at(m) != "" },
		trim:  func(m *M) { *at(m) = strings.TrimSpace(*at(m)) },
		check: func(m *M) *Fault { return checkText(*at(m)) },
		read:  func(s *scanner, m *M) (f *Fault) { *at(m), f = readText(s); return f },
		write: func(w *writer, m *M) { w.text(*at(m)) },
	}
}

// checkText refuses U+0000: no name holds one, and keys of the state begin with it.
func checkText(t string) *Fault {
	if strings.ContainsRune(t, 0) {
		return impossible("holds the character U+0000: leave it out")
	}
	return nil
}

// wordField is a string out of a fixed list.
func wordField[M any](name, doc string, words []string, at func(*M) *string) field[M] {
	f := textField(name, "one of "+strings.Join(words, ", "), doc, at)
	f.check = func(m *M) *Fault {
		if !slices.Contains(words, *at(m)) {
			return notOneOf(*at(m), words)
		}
		return nil
	}
	return f
}

// codeField is an enumeration of the messages; words[i] stands for value i+1, and 0 is not given.
func codeField[M any, E ~int32](name, doc string, words []string, at func(*M) *E) field[M] {
	return field[M]{
		name: name, kind: "one of " + strings.Join(words, ", "), doc: doc,
		given: func(m *M) bool { return *at(m) != 0 },
		check: func(m *M) *Fault {
			if e := int(*at(m)); e < 0 || e > len(words) {
				return notOneOf(strconv.Itoa(e), words)
			}
			return nil
		},
		read: func(s *scanner, m *M) *Fault {
			t, f := readText(s)
			if f != nil {
				return f
			}
			i := slices.Index(words, strings.ToLower(t))
			if i < 0 {
				return notOneOf(t, words)
			}
			*at(m) = E(i + 1)
			return nil
		},
		write: func(w *writer, m *M) { w.text(words[*at(m)-1]) },
	}
}

func notOneOf(got string, words []string) *Fault {
	return impossible(fmt.Sprintf("%q is not one of %s", got, strings.Join(words, ", ")))
}

func timeField[M any](name, doc string, at func(*M) *int64) field[M] {
	return field[M]{
		name: name, kind: "time", doc: doc,
		given: func(m *M) bool { return *at(m) != 0 },
		check: func(m *M) *Fault { return checkTime(*at(m)) },
		read:  func(s *scanner, m *M) (f *Fault) { *at(m), _, f = readTime(s); return f },
		write: func(w *writer, m *M) { w.time(*at(m), 0) },
	}
}

// degreesField is a coordinate in 1e-7 degrees.
func degreesField[M any](name, doc string, limit int32, at func(*M) *int32) field[M] {
	most := int64(limit) * 1e7
	beyond := func() *Fault { return impossible(fmt.Sprintf("must lie between -%d and %d degrees", limit, limit)) }
	return field[M]{
		name: name, kind: "number", doc: doc,
		check: func(m *M) *Fault {
			if v := int64(*at(m)); v < -most || v > most {
				return beyond()
			}
			return nil
		},
		read: func(s *scanner, m *M) *Fault {
			n, f := readNumber(s)
			if f != nil {
				return f
			}
			v := degrees(n)
			if v < -most || v > most {
				return beyond()
			}
			*at(m) = int32(v)
			return nil
		},
		write: func(w *writer, m *M) { w.degrees(*at(m)) },
	}
}

// numberField is a number of at least 0 that is always there.
func numberField[M any](name, doc string, at func(*M) *float64) field[M] {
	return field[M]{
		name: name, kind: "number", doc: doc,
		check: func(m *M) *Fault { return between(*at(m), 0, math.MaxFloat64) },
		read: func(s *scanner, m *M) *Fault {
			n, f := readNumber(s)
			if f == nil {
				*at(m) = decimal(n)
			}
			return f
		},
		write: func(w *writer, m *M) { w.number(*at(m), 64) },
	}
}

// maybeField is an optional number between 0 and most.
func maybeField[M any, F float32 | float64](name, doc string, most float64, at func(*M) **F) field[M] {
	return field[M]{
		name: name, kind: "number", doc: doc,
		given: func(m *M) bool { return *at(m) != nil },
		check: func(m *M) *Fault { return between(float64(**at(m)), 0, most) },
		read: func(s *scanner, m *M) *Fault {
			n, f := readNumber(s)
			if f == nil {
				v := F(decimal(n))
				*at(m) = &v
			}
			return f
		},
		write: func(w *writer, m *M) {
			if v, ok := any(**at(m)).(float32); ok {
				w.number(float64(v), 32)
				return
			}
			w.number(float64(**at(m)), 64)
		},
	}
}

func between(v, least, most float64) *Fault {
	if v >= least && v <= most { // NaN is not
		return nil
	}
	if most == math.MaxFloat64 {
		return impossible(fmt.Sprintf("%v: must be a number of at least %v", v, least))
	}
	return impossible(fmt.Sprintf("%v: must lie between %v and %v", v, least, most))
}

// flagField is an optional true or false.
func flagField[M any](name, doc string, at func(*M) **bool) field[M] {
	return field[M]{
		name: name, kind: "true or false", doc: doc,
		given: func(m *M) bool { return *at(m) != nil },
		read: func(s *scanner, m *M) *Fault {
			v := s.peek() == 't'
			if !v && s.peek() != 'f' {
				return impossible("must be true or false")
			}
			*at(m) = &v
			return s.skip()
		},
		write: func(w *writer, m *M) { w.raw(strconv.FormatBool(**at(m))) },
	}
}

// textsField is a list of strings.
func textsField[M any](name, doc string, at func(*M) *[]string) field[M] {
	return field[M]{
		name: name, kind: "list of text", doc: doc,
		given: func(m *M) bool { return len(*at(m)) > 0 },
		trim: func(m *M) {
			for i, t := range *at(m) {
				(*at(m))[i] = strings.TrimSpace(t)
			}
		},
		check: func(m *M) *Fault {
			for _, t := range *at(m) {
				if f := checkText(t); f != nil {
					return f
				}
			}
			return nil
		},
		read: func(s *scanner, m *M) *Fault {
			*at(m) = nil
			return readList(s, func() *Fault {
				t, f := readText(s)
				*at(m) = append(*at(m), t)
				return f
			})
		},
		write: func(w *writer, m *M) {
			w.begin('[')
			for _, t := range *at(m) {
				w.text(t)
			}
			w.end(']')
		},
	}
}

// listField is a list of objects.
func listField[M, E any](name, doc string, of shape[E], at func(*M) *[]*E) field[M] {
	return field[M]{
		name: name, kind: "list", doc: doc, parts: of.describe(),
		given: func(m *M) bool { return len(*at(m)) > 0 },
		trim: func(m *M) {
			for _, e := range *at(m) {
				of.trim(e)
			}
		},
		check: func(m *M) *Fault {
			for i, e := range *at(m) {
				if f := of.check(e); f != nil {
					return f.under("[" + strconv.Itoa(i) + "]")
				}
			}
			return nil
		},
		read: func(s *scanner, m *M) *Fault {
			*at(m) = nil
			return readList(s, func() *Fault {
				e := new(E)
				*at(m) = append(*at(m), e)
				return of.read(s, e)
			})
		},
		write: func(w *writer, m *M) {
			w.begin('[')
			for _, e := range *at(m) {
				of.write(w, e)
			}
			w.end(']')
		},
	}
}
