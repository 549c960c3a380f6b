package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"corridorwatch/schemas"
	"corridorwatch/schemas/normal"
	"corridorwatch/schemas/pb"
)

// HTTPConfig is what POST /v1/events needs to know.
type HTTPConfig struct {
	// Queue takes the events; its Run must be running.
	Queue *Queue
	// Form is the normal form of the installation's catalogue, so that the answer says what intake will say.
	Form *normal.Form
	// Tokens that are asked for; nil: none. Without tokens listen on loopback only.
	Tokens *Tokens
	// FutureLimit is how far ahead of this machine's clock an event may be; 0: any distance (installations on data time).
	FutureLimit time.Duration
	// MaxBytes of a request, unzipped; 8 MiB when zero.
	MaxBytes int64
	// MaxRequests at once; more are answered 429. 16 when zero.
	MaxRequests int
	// Patience is how long a request waits for Kafka's acknowledgement; 30 s when zero.
	Patience time.Duration
}

// NewHTTP makes the handler of POST /v1/events. It takes
//
//	application/cloudevents+json, application/json          one event, or a list of events
//	application/cloudevents-batch+json                      a list of events
//	application/x-ndjson, application/jsonl, application/jsonlines   an event a line
//
// zipped with Content-Encoding: gzip if wanted, and answers when Kafka has acknowledged, for each line or element: accepted, or
// rejected with reason, path and what to do. Status: 200 all accepted, 207 some, 422 none; 401 without a valid token, 413 too
// large, 415 another content type, 429 too many requests at once, 503 Kafka did not acknowledge in time (send it again: an event
// counts once). What is rejected is kept in rejects too, except events of a source that the token does not cover.
func NewHTTP(cfg HTTPConfig) http.Handler {
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 8 << 20
	}
	if cfg.MaxRequests == 0 {
		cfg.MaxRequests = 16
	}
	if cfg.Patience == 0 {
		cfg.Patience = 30 * time.Second
	}
	return &server{cfg: cfg, room: make(chan struct{}, cfg.MaxRequests)}
}

type server struct {
	cfg  HTTPConfig
	room chan struct{} // holds one for each request at work
}

// answer is the body of every response.
type answer struct {
	Accepted int      `json:"accepted"`
	Rejected int      `json:"rejected"`
	Results  []result `json:"results,omitempty"`
	Error    string   `json:"error,omitempty"` // of the request as a whole
}

// result is what became of one line or element, counted from 1 without blank lines.
type result struct {
	Line   int    `json:"line"`
	ID     string `json:"id,omitempty"`
	Status string `json:"status"` // accepted, rejected
	Reason string `json:"reason,omitempty"`
	Path   string `json:"path,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// refusal is a request that is not looked at any further.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func (s *server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, a := http.StatusOK, answer{}
	var refused *refusal
	if err := s.serve(req, &a); errors.As(err, &refused) {
		status, a = refused.status, answer{Error: refused.text}
		switch status {
		case http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Bearer realm="corridorwatch"`)
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", http.MethodPost)
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			w.Header().Set("Retry-After", "1")
		}
	} else if a.Rejected > 0 {
		status = http.StatusMultiStatus
		if a.Accepted == 0 {
			status = http.StatusUnprocessableEntity
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(a) // an error says that the client has gone
}

func (s *server) serve(req *http.Request, a *answer) error {
	if req.Method != http.MethodPost {
		return &refusal{http.StatusMethodNotAllowed, "send events with POST"}
	}
	prefix := ""
	if s.cfg.Tokens != nil {
		var ok bool
		if prefix, ok = s.cfg.Tokens.prefix(req.Header.Get("Authorization")); !ok {
			return &refusal{http.StatusUnauthorized, "send a valid token: Authorization: Bearer ..."}
		}
	}
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		return &refusal{http.StatusTooManyRequests, fmt.Sprintf("%d requests are at work already: try again", cap(s.room))}
	}
	src, err := s.reader(req)
	if err != nil {
		return err
	}
	events, bad, err := s.sort(src, prefix, a)
	if err != nil {
		return err
	}
	if len(events)+len(bad) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(req.Context(), s.cfg.Patience)
	defer cancel()
	if err := s.cfg.Queue.send(ctx, events, bad); err != nil {
		return &refusal{http.StatusServiceUnavailable, "not acknowledged by Kafka: send it again, nothing will count twice (" + err.Error() + ")"}
	}
	return nil
}

// reader reads the body, whole, and returns what splits it.
func (s *server) reader(req *http.Request) (reader, error) {
	media, _, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	perLine := false
	switch {
	case err == nil && (media == schemas.JSONType || media == schemas.BatchType || media == "application/json"):
	case err == nil && (media == "application/x-ndjson" || media == "application/jsonl" || media == "application/jsonlines"):
		perLine = true
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType, fmt.Sprintf("content type %q: send %s, %s or application/x-ndjson", media, schemas.JSONType, schemas.BatchType)}
	}
	body := io.Reader(req.Body)
	switch encoding := req.Header.Get("Content-Encoding"); strings.ToLower(encoding) {
	case "", "identity":
	case "gzip":
		if body, err = gzip.NewReader(io.LimitReader(req.Body, s.cfg.MaxBytes)); err != nil {
			return nil, &refusal{http.StatusBadRequest, "the body is not gzip: " + err.Error()}
		}
	default:
		return nil, &refusal{http.StatusUnsupportedMediaType, fmt.Sprintf("content encoding %q: send it plain or as gzip", encoding)}
	}
	b, err := io.ReadAll(io.LimitReader(body, s.cfg.MaxBytes+1))
	if err != nil {
		return nil, &refusal{http.StatusBadRequest, "read the body: " + err.Error()}
	}
	if int64(len(b)) > s.cfg.MaxBytes {
		return nil, &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("more than %d bytes: send fewer events at once", s.cfg.MaxBytes)}
	}
	if perLine {
		return newJSONLines(bytes.NewReader(b)), nil
	}
	return newDocument(b), nil
}

// sort looks at each element and notes what becomes of it.
func (s *server) sort(src reader, prefix string, a *answer) (events []*pb.Event, bad []item, err error) {
	now := time.Now().UnixMilli()
	for line := 1; ; line++ {
		it, err := src.next()
		if errors.Is(err, io.EOF) {
			return events, bad, nil
		}
		if err != nil {
			return nil, nil, err
		}
		r := result{Line: line, ID: it.ev.GetId(), Status: "accepted"}
		if it.fault == nil {
			it.fault = s.fault(it.ev, prefix, now)
			it.own = it.fault != nil
		}
		if it.fault == nil {
			it.fault = s.cfg.Form.Apply(it.ev)
		}
		if it.fault == nil {
			it.ev.IngestedAt = now
			events = append(events, it.ev)
			a.Accepted++
		} else {
			r.Status, r.Reason, r.Path, r.Detail = "rejected", it.fault.Reason, it.fault.Path, it.fault.Detail
			if s.keep(it, prefix) {
				it.raw = bytes.Clone(it.raw)
				bad = append(bad, it)
			}
			a.Rejected++
		}
		a.Results = append(a.Results, r)
	}
}

// fault tells what this server has against an event that could be read.
func (s *server) fault(ev *pb.Event, prefix string, now int64) *schemas.Fault {
	switch {
	case ev.Verb == pb.Verb_TICK:
		return &schemas.Fault{Reason: schemas.ImpossibleValue, Path: "type", Detail: "ticks come from the installation's own clock"}
	case !strings.HasPrefix(ev.Source, prefix):
		return &schemas.Fault{Reason: schemas.ForeignSource, Path: "source", Detail: fmt.Sprintf("your token speaks for sources that begin with %q", prefix)}
	case s.cfg.FutureLimit > 0 && ev.Classifier == pb.Classifier_ACTUAL && ev.Time-s.ahead(ev) > now+s.cfg.FutureLimit.Milliseconds():
		return &schemas.Fault{Reason: schemas.Future, Path: "time", Detail: fmt.Sprintf("is more than %s ahead: set your clock, or its offset from UTC", s.cfg.FutureLimit)}
	}
	return nil
}

// ahead is how far the clock of the event's source is known to be ahead.
func (s *server) ahead(ev *pb.Event) int64 {
	if s.cfg.Form == nil {
		return 0
	}
	return s.cfg.Form.Ahead(ev.Source)
}

// keep tells whether a rejected element goes to rejects. Of others' sources a token's holder leaves no trace there.
func (s *server) keep(it item, prefix string) bool {
	source := schemas.Source(it.raw)
	return it.fault.Reason != schemas.ForeignSource && (source == "" || strings.HasPrefix(source, prefix))
}

// document is a body that is one event or one list of them.
type document struct {
	elements [][]byte
	rest     item
}

func newDocument(b []byte) *document {
	if start := bytes.TrimLeft(b, blanks); len(start) == 0 || start[0] != '[' {
		return &document{elements: [][]byte{b}}
	}
	d := &document{}
	elements, rest, f := schemas.SplitBatch(b)
	d.elements = elements
	if f != nil {
		d.rest = badJSON(rest, f)
	}
	return d
}

func (d *document) next() (item, error) {
	if len(d.elements) > 0 {
		e := d.elements[0]
		d.elements = d.elements[1:]
		return decodeJSON(e), nil
	}
	if it := d.rest; it.fault != nil {
		d.rest = item{}
		return it, nil
	}
	return item{}, io.EOF
}
