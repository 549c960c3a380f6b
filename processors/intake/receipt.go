package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// maxBytes bounds what is kept of a rejected element, so that its record fits into a message of Kafka's default size.
const maxBytes = 1_000_000

// receipt is one record of the intake topic on its way in.
type receipt struct {
	in       stream.In
	out      *stream.Out
	ct       string // content type, as far as it is known
	retried  string // id of the reject this record is another attempt at
	attempts uint32 // including this one
	told     *schemas.Fault
	former   *pb.Reject // what the reject was before this attempt, as far as the headers tell
	again    bool       // this attempt failed too
	proto    bool
	broken   *schemas.Fault // what is wrong with the last element of a list that is not JSON to its end
	last     int
}

func newReceipt(in stream.In, out *stream.Out) *receipt {
	r := &receipt{in: in, out: out, attempts: 1}
	for _, h := range in.Raw.Headers {
		r.header(h)
	}
	return r
}

func (r *receipt) header(h kafkalog.Header) {
	v := string(h.Value)
	switch strings.ToLower(h.Key) {
	case schemas.HeaderContentType:
		if media, _, err := mime.ParseMediaType(v); err == nil {
			r.ct = media
		}
		if r.ct == "application/x-protobuf" || r.ct == "application/cloudevents+protobuf" {
			r.ct = schemas.ProtobufType
		}
	case schemas.HeaderRetry:
		r.retried = v
	case schemas.HeaderAttempt:
		if n, err := strconv.ParseUint(v, 10, 31); err == nil {
			r.attempts = uint32(n) + 1
		}
	case schemas.HeaderFormer:
		former := new(pb.Reject)
		if proto.Unmarshal(h.Value, former) == nil {
			r.former = former
		}
	case schemas.HeaderReject:
		r.telling().Reason = v
	case schemas.HeaderPath:
		r.telling().Path = v
	case schemas.HeaderDetail:
		r.telling().Detail = v
	}
}

// telling is the fault that a producer has found itself.
func (r *receipt) telling() *schemas.Fault {
	if r.told == nil {
		r.told = &schemas.Fault{}
	}
	return r.told
}

// json tells how the record is written: by its content type, else by its first byte.
func (r *receipt) json() bool {
	switch {
	case strings.HasSuffix(r.ct, "json"): // application/json, application/cloudevents+json, application/cloudevents-batch+json
		return true
	case r.ct == schemas.ProtobufType:
		return false
	}
	v := r.in.Raw.Value
	return len(v) > 0 && (v[0] == '{' || v[0] == '[')
}

// elements splits a list; anything else is one element.
func (r *receipt) elements() [][]byte {
	v := r.in.Raw.Value
	if !r.json() || r.told != nil {
		return [][]byte{v}
	}
	if start := bytes.TrimLeft(v, " \t\r\n"); len(start) == 0 || start[0] != '[' {
		return [][]byte{v}
	}
	elements, rest, f := schemas.SplitBatch(v)
	if f != nil {
		r.broken, r.last = f, len(elements)
		elements = append(elements, rest)
	}
	return elements
}

// read decodes element i. Protobuf is not checked yet.
func (r *receipt) read(i int, e []byte) (*pb.Event, *schemas.Fault) {
	if r.told != nil && r.told.Reason != "" {
		return nil, r.told
	}
	if r.broken != nil && i == r.last {
		return nil, r.broken
	}
	if len(bytes.TrimSpace(e)) == 0 {
		return nil, &schemas.Fault{Reason: schemas.Unreadable, Detail: "the record is empty"}
	}
	if r.json() {
		return schemas.DecodeJSON(e)
	}
	ev := new(pb.Event)
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(e, ev) // what a later version adds must not change the hash
	if err == nil && (ev.Verb != 0 || ev.Source != "" && ev.Id != "") {
		r.proto = true
		return ev, nil
	}
	if r.ct == schemas.ProtobufType {
		return nil, &schemas.Fault{Reason: schemas.Unreadable, Detail: "not a corridorwatch.v1.Event in protobuf, as the content-type header says"}
	}
	if start := bytes.TrimLeft(e, " \t\r\n"); len(start) > 0 && start[0] == '{' {
		return schemas.DecodeJSON(start) // a JSON text that begins with a line feed looks like protobuf
	}
	return nil, &schemas.Fault{Reason: schemas.Unreadable, Detail: fmt.Sprintf("begins with %q: neither a CloudEvent in JSON nor a corridorwatch.v1.Event "+
		"in protobuf; a content-type header says which it is meant to be", e[:min(len(e), 20)])}
}

// reject sends one element to rejects and returns the id it has there.
func (r *receipt) reject(e []byte, ev *pb.Event, f *schemas.Fault) string {
	if r.proto {
		e = unstamped(e)
	}
	rej := &pb.Reject{
		Id: r.retried, Reason: f.Reason, Path: f.Path, Detail: f.Detail, Value: bytes.Clone(e), ContentType: r.contentType(),
		At: r.in.Now, Attempts: r.attempts, Source: ev.GetSource(),
	}
	if rej.Source == "" && !r.proto {
		rej.Source = schemas.Source(e)
	}
	if rej.Id == "" {
		rej.Id = r.rejectID(e)
	}
	if len(rej.Value) > maxBytes {
		rej.Value = rej.Value[:maxBytes]
		rej.Detail += fmt.Sprintf(" (of %d bytes the first %d are kept)", len(e), maxBytes)
	}
	r.again = true
	r.emit(rej)
	return rej.Id
}

// unstamped is a protobuf event without what ingest and intake say of how it came: sent again it is the same reject.
func unstamped(e []byte) []byte {
	ev := new(pb.Event)
	if proto.Unmarshal(e, ev) != nil || ev.IngestedAt == 0 && ev.AcceptedAt == 0 && ev.Hash == 0 && !ev.Late {
		return e
	}
	ev.IngestedAt, ev.AcceptedAt, ev.Hash, ev.Late = 0, 0, 0, false
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(ev)
	if err != nil {
		return e // not UTF-8
	}
	return b
}

// rejectID is made of what came, and of where it stood if the producer says so: a file sent again gives no new rejects.
func (r *receipt) rejectID(e []byte) string {
	h := sha256.New()
	path := ""
	if r.told != nil {
		path = r.told.Path
	}
	fmt.Fprintf(h, "%s\x00%s\x00", r.contentType(), path)
	h.Write(e)
	return hex.EncodeToString(h.Sum(nil)[:10])
}

func (r *receipt) contentType() string {
	switch {
	case r.ct != "" && r.ct != schemas.BatchType:
		return r.ct
	case r.json():
		return schemas.JSONType
	case r.proto:
		return schemas.ProtobufType
	}
	return "application/octet-stream"
}

// close tells that a retry was accepted.
func (r *receipt) close() {
	if r.retried == "" || r.again {
		return
	}
	rej := r.former
	if rej == nil {
		rej = &pb.Reject{ContentType: r.contentType(), At: r.in.Now}
	}
	rej.Value = bytes.Clone(r.in.Raw.Value)
	rej.Id, rej.Attempts, rej.AcceptedAt = r.retried, r.attempts, max(r.in.Now, 1)
	r.emit(rej)
}

func (r *receipt) emit(rej *pb.Reject) {
	clean(&rej.Source, &rej.Reason, &rej.Path, &rej.Detail, &rej.Id, &rej.ContentType)
	r.out.Emit(schemas.Rejects, rej.Id, &pb.Record{Body: &pb.Record_Reject{Reject: rej}})
}

// clean makes texts that may come from anywhere fit for protobuf, which takes UTF-8 only.
func clean(texts ...*string) {
	for _, t := range texts {
		*t = strings.ToValidUTF8(*t, "\ufffd")
	}
}
