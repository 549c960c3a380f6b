package schemas

import (
	"math"
	"strconv"
	"unicode/utf8"

	"corridorwatch/schemas/pb"
)

// EncodeJSON writes an event as its sender would: a CloudEvent on one line. What intake adds (times of ingestion and acceptance,
// late, hash, implied_by) is left out. DecodeJSON reads back the same event. The event must be one that Check lets pass.
func EncodeJSON(ev *pb.Event) []byte { return AppendJSON(make([]byte, 0, 384), ev) }

// AppendJSON appends an event to b as EncodeJSON writes it.
func AppendJSON(b []byte, ev *pb.Event) []byte {
	t, name := typeOf(ev.Verb, ev.UnitKind)
	w := writer{b: b}
	w.begin('{')
	for _, m := range [...]struct{ key, value string }{
		{"specversion", "1.0"}, {"type", name}, {"source", ev.Source}, {"id", ev.Id}, {"subject", ev.Subject}, {"classifier", classifierWord(ev.Classifier)},
	} {
		if m.value != "" {
			w.key(m.key)
			w.text(m.value)
		}
	}
	if ev.Time != 0 {
		w.key("time")
		w.time(ev.Time, ev.OffsetMin)
	}
	if ev.RecordedAt != 0 {
		w.key("recordedat")
		w.time(ev.RecordedAt, 0)
	}
	if t != nil && len(t.data) > 0 && t.has(ev) {
		w.key("data")
		t.data.write(&w, ev)
	}
	w.end('}')
	return w.b
}

func classifierWord(c pb.Classifier) string {
	switch c {
	case pb.Classifier_ESTIMATED:
		return "estimated"
	case pb.Classifier_SCHEDULED:
		return "planned"
	}
	return ""
}

// writer appends JSON. Commas are its own business.
type writer struct {
	b     []byte
	comma bool // the next value follows another
}

func (w *writer) sep() {
	if w.comma {
		w.b = append(w.b, ',')
	}
	w.comma = true
}

func (w *writer) begin(c byte) { w.sep(); w.b = append(w.b, c); w.comma = false }
func (w *writer) end(c byte)   { w.b = append(w.b, c); w.comma = true }
func (w *writer) raw(v string) { w.sep(); w.b = append(w.b, v...) }

// key writes a name that needs no escapes.
func (w *writer) key(k string) {
	w.sep()
	w.b = append(append(append(w.b, '"'), k...), '"', ':')
	w.comma = false
}

func (w *writer) time(ms int64, offsetMin int32) {
	w.sep()
	w.b = append(AppendTime(append(w.b, '"'), ms, offsetMin), '"')
}

func (w *writer) number(v float64, bits int) {
	w.sep()
	format := byte('f')
	if a := math.Abs(v); a >= 1e15 || a > 0 && a < 1e-6 {
		format = 'e'
	}
	w.b = strconv.AppendFloat(w.b, v, format, -1, bits)
}

// degrees writes 1e-7 degrees as a decimal number without superfluous zeros.
func (w *writer) degrees(e7 int32) {
	w.sep()
	v := int64(e7)
	if v < 0 {
		w.b, v = append(w.b, '-'), -v
	}
	w.b = strconv.AppendInt(w.b, v/1e7, 10)
	rest := v % 1e7
	if rest == 0 {
		return
	}
	w.b = append(w.b, '.')
	for unit := int64(1e6); rest > 0; unit /= 10 {
		w.b = append(w.b, byte('0'+rest/unit))
		rest %= unit
	}
}

const hexDigits = "0123456789abcdef"

func (w *writer) text(t string) {
	w.sep()
	w.b = append(w.b, '"')
	from := 0
	for i := 0; i < len(t); {
		c := t[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(t[i:])
			if r == utf8.RuneError && n == 1 {
				w.b = append(append(w.b, t[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		w.b = append(w.b, t[from:i]...)
		switch c {
		case '"', '\\':
			w.b = append(w.b, '\\', c)
		case '\n':
			w.b = append(w.b, '\\', 'n')
		case '\t':
			w.b = append(w.b, '\\', 't')
		default:
			w.b = append(w.b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		from = i
	}
	w.b = append(append(w.b, t[from:]...), '"')
}
