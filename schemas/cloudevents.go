package schemas

import (
	"fmt"
	"strings"

	"corridorwatch/schemas/pb"
)

// Events look like this as CloudEvents 1.0 in structured JSON mode (docs/events.md lists all types):
//
//	{"specversion":"1.0", "type":"train.position", "source":"//ktz.kz/gps", "id":"a7f3-118",
//	 "time":"2026-03-01T08:15:00+05:00", "subject":"KTZ:7084-087-1306:2026-03-01",
//	 "data":{"lat":44.1712, "lon":80.2601, "speed_kmh":31.5}}
//
// Two extension attributes belong to all types: recordedat, the sender's own time of record (recorded_at is understood too), and
// classifier: actual (if it is not given), estimated, planned.

// DecodeJSON reads one event. The fault, if there is one, says where and what to do.
//
// Lenient: fields it does not know are stepped over, null counts as not given, text is trimmed, a number may stand for a text, and
// times may be written as ParseTime says. Strict is everything else: an unknown type, a field that is missing or of another kind,
// a value that cannot be. A fix at exactly 0, 0 is refused: that is what trackers without a fix send, and the nearest railway is
// 600 km away.
func DecodeJSON(b []byte) (*pb.Event, *Fault) {
	ev, t, f := decode(b)
	if f != nil {
		return nil, f
	}
	if f := checkAs(ev, t); f != nil {
		return nil, f
	}
	return ev, nil
}

func decode(b []byte) (*pb.Event, *eventType, *Fault) {
	var head envelope
	s := scanner{b: b}
	if f := head.read(&s); f != nil {
		return nil, nil, f
	}
	if f := s.end(); f != nil {
		return nil, nil, f
	}
	t, f := head.complete()
	if f != nil {
		return nil, nil, f
	}
	data := scanner{b: b[:head.dataTo], i: head.dataFrom}
	switch {
	case head.dataTo > head.dataFrom:
		f = t.data.read(&data, head.ev)
	case t.needData:
		f = &Fault{Reason: MissingField, Detail: "add \"data\" with the fields of " + t.prefixes[0] + "." + t.word}
	}
	return head.ev, t, f.under("data")
}

// envelope is an event while its text is read. Data can be understood only when the type is known, which may come after it, so its
// place is remembered.
type envelope struct {
	ev               *pb.Event
	typ              namedType
	spec             bool
	dataFrom, dataTo int
}

func (h *envelope) read(s *scanner) *Fault {
	h.ev = new(pb.Event)
	if c := s.peek(); c != '{' {
		return s.broken("an event, which begins with '{',")
	}
	if f := s.open('{', "an object"); f != nil {
		return f
	}
	for first := true; ; first = false {
		key, more, f := s.key(first)
		if f != nil || !more {
			return f
		}
		if s.peek() == 'n' {
			f = s.skip()
		} else {
			f = h.member(s, key)
		}
		if f != nil {
			return f.under(string(key))
		}
	}
}

// Source returns the source of an event in JSON, also of one that DecodeJSON does not take; empty if it cannot be read.
func Source(b []byte) string {
	s := scanner{b: b}
	if s.open('{', "an object") != nil {
		return ""
	}
	for first := true; ; first = false {
		key, more, f := s.key(first)
		if f != nil || !more {
			return ""
		}
		if string(key) == "source" && s.peek() == '"' {
			source, _ := readText(&s)
			return source
		}
		if s.skip() != nil {
			return ""
		}
	}
}

func (h *envelope) member(s *scanner, key []byte) (f *Fault) {
	ev := h.ev
	switch string(key) {
	case "data":
		h.dataFrom = s.i
		f = s.skip()
		h.dataTo = s.i
	case "time":
		ev.Time, ev.OffsetMin, f = readTime(s)
	case "id":
		ev.Id, f = readText(s)
	case "source":
		ev.Source, f = readText(s)
	case "subject":
		ev.Subject, f = readText(s)
	case "type":
		return h.readType(s)
	case "specversion":
		return h.readSpec(s)
	case "recordedat", "recorded_at":
		ev.RecordedAt, _, f = readTime(s)
	case "classifier":
		return readClassifier(s, ev)
	case "data_base64":
		return &Fault{Reason: Unreadable, Detail: "send the data as JSON in \"data\""}
	default:
		f = s.skip()
	}
	return f
}

func (h *envelope) readType(s *scanner) *Fault {
	if s.peek() != '"' {
		return impossible("must be a text in quotes")
	}
	t, f := s.text()
	if f != nil {
		return f
	}
	var ok bool
	if h.typ, ok = typesByName[string(t)]; !ok {
		f := unknownType(string(t))
		f.Path = ""
		return f
	}
	return nil
}

func (h *envelope) readSpec(s *scanner) *Fault {
	v, f := readText(s)
	if f == nil && v != "1.0" {
		return impossible(fmt.Sprintf("%q: only CloudEvents 1.0 is understood", clip(v, 20)))
	}
	h.spec = true
	return f
}

// classifiers as they are written; standards in use abbreviate them.
func readClassifier(s *scanner, ev *pb.Event) *Fault {
	v, f := readText(s)
	if f != nil {
		return f
	}
	switch strings.ToLower(v) {
	case "actual", "act", "":
		ev.Classifier = pb.Classifier_ACTUAL
	case "estimated", "est":
		ev.Classifier = pb.Classifier_ESTIMATED
	case "planned", "pln":
		ev.Classifier = pb.Classifier_SCHEDULED
	default:
		return notOneOf(v, []string{"actual", "estimated", "planned"})
	}
	return nil
}

// complete finds the type and prepares the event for its data.
func (h *envelope) complete() (*eventType, *Fault) {
	if !h.spec {
		return nil, &Fault{Reason: MissingField, Path: "specversion", Detail: `add "specversion":"1.0" (events are CloudEvents)`}
	}
	if h.typ.eventType == nil {
		return nil, &Fault{Reason: MissingField, Path: "type", Detail: `add "type", such as "train.position"`}
	}
	h.ev.Verb, h.ev.UnitKind = h.typ.verb, h.typ.kind
	if h.typ.kind == pb.UnitKind_CONTAINER {
		h.ev.UnitKind = KindOfUnit(h.ev.Subject)
	}
	h.typ.start(h.ev)
	return h.typ.eventType, nil
}

// Check finds what is missing or impossible in an event, however it came. It trims all texts, so that the same event is the same from
// protobuf and from JSON, and fills in what follows from the rest: the kind of unit.* subjects and of what a retraction is about.
func Check(ev *pb.Event) *Fault {
	ev.Source, ev.Id, ev.Subject = strings.TrimSpace(ev.Source), strings.TrimSpace(ev.Id), strings.TrimSpace(ev.Subject)
	t, name := typeOf(ev.Verb, ev.UnitKind)
	if t == nil || name == "" {
		return &Fault{Reason: UnknownType, Path: "type", Detail: fmt.Sprintf("there is no event of verb %v about unit kind %v", ev.Verb, ev.UnitKind)}
	}
	if ev.UnitKind == pb.UnitKind_WAGON || ev.UnitKind == pb.UnitKind_CONTAINER {
		ev.UnitKind = KindOfUnit(ev.Subject)
	}
	if t.has(ev) {
		t.data.trim(ev)
	}
	return checkAs(ev, t)
}

func checkAs(ev *pb.Event, t *eventType) *Fault {
	if f := checkHead(ev); f != nil {
		return f
	}
	if !t.has(ev) {
		return &Fault{Reason: MissingField, Path: "data", Detail: "the data is not that of " + t.prefixes[0] + "." + t.word}
	}
	if f := t.data.check(ev); f != nil {
		return f.under("data")
	}
	switch ev.Verb {
	case pb.Verb_POSITION:
		if p := ev.GetPosition(); p.LatE7 == 0 && p.LonE7 == 0 {
			return &Fault{Reason: ImpossibleValue, Path: "data.lat", Detail: "latitude and longitude are both 0: the tracker had no fix"}
		}
	case pb.Verb_RETRACTED:
		return checkRetraction(ev)
	}
	return nil
}

// checkRetraction tells from the retracted type what kind of subject the retraction is about.
func checkRetraction(ev *pb.Event) *Fault {
	verb, kind, ok := ParseType(ev.GetRetraction().Type)
	if !ok {
		return impossible("is not an event type").under("data.retracts_type")
	}
	if verb == pb.Verb_RETRACTED || verb == pb.Verb_TICK {
		return impossible("retractions and ticks cannot be taken back").under("data.retracts_type")
	}
	if kind == pb.UnitKind_CONTAINER {
		kind = KindOfUnit(ev.Subject)
	}
	ev.UnitKind = kind
	return nil
}

func checkHead(ev *pb.Event) *Fault {
	switch {
	case ev.Source == "":
		return missing("source", "who says so; source and id identify the event")
	case ev.Id == "":
		return missing("id", "source and id identify the event")
	case ev.Time == 0:
		return missing("time", "when it happened, RFC 3339 with an offset")
	case ev.Subject == "" && ev.Verb != pb.Verb_TICK:
		return missing("subject", "what it is about: run, unit, consignment, border, area, place or section")
	case ev.Classifier < 0 || ev.Classifier > pb.Classifier_SCHEDULED:
		return impossible("is not a classifier").under("classifier")
	case ev.OffsetMin < -maxOffset || ev.OffsetMin > maxOffset:
		return impossible("offset from UTC beyond 15 hours").under("time")
	}
	for _, t := range [...]struct{ path, text string }{{"subject", ev.Subject}, {"place", ev.Place}} {
		if f := checkText(t.text); f != nil {
			return f.under(t.path)
		}
	}
	if ev.RecordedAt != 0 {
		if f := checkTime(ev.RecordedAt); f != nil {
			return f.under("recordedat")
		}
	}
	return checkTime(ev.Time).under("time")
}
