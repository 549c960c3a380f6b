package ingest

import (
	"bytes"
	"io"

	"corridorwatch/schemas"
)

// jsonLines reads CloudEvents, one a line; a line may also be a JSON list of them. Blank lines are stepped over.
type jsonLines struct {
	lines lines
	batch [][]byte // elements of the list in hand
	rest  item     // what follows them, if the list is broken
}

func newJSONLines(r io.Reader) *jsonLines { return &jsonLines{lines: newLines(r)} }

func (j *jsonLines) next() (item, error) {
	for {
		if len(j.batch) > 0 {
			e := j.batch[0]
			j.batch = j.batch[1:]
			return decodeJSON(e), nil
		}
		if j.rest.fault != nil {
			it := j.rest
			j.rest = item{}
			return it, nil
		}
		line, whole, err := j.lines.next()
		if err != nil {
			return item{}, err
		}
		if !whole {
			return tooLong(line), nil
		}
		if line = bytes.Trim(line, blanks); len(line) == 0 {
			continue
		}
		if line[0] != '[' {
			return decodeJSON(line), nil
		}
		line = bytes.Clone(line) // outlives the next read
		elements, rest, f := schemas.SplitBatch(line)
		j.batch = elements
		if f != nil {
			j.rest = badJSON(rest, f)
		}
	}
}

// blanks may stand around a JSON value (RFC 8259, section 2). Other white space belongs to what was sent.
const blanks = " \t\r\n"

func decodeJSON(b []byte) item {
	if len(b) > maxElement {
		return tooLong(b[:maxElement])
	}
	ev, f := schemas.DecodeJSON(b)
	if f != nil {
		return badJSON(b, f)
	}
	return item{ev: ev, raw: b, ct: schemas.JSONType}
}

func tooLong(b []byte) item {
	it := badJSON(b, &schemas.Fault{Reason: schemas.Unreadable, Detail: "the event is longer than 900000 bytes, which is more than Kafka takes"})
	it.own = true
	return it
}

func badJSON(b []byte, f *schemas.Fault) item {
	return item{fault: f, raw: bytes.Clone(b), ct: schemas.JSONType}
}
