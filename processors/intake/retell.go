package intake

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"corridorwatch/processors/stream"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// Retell takes note of what an older epoch rejected beyond the state: this one folds the same input again, perhaps with a catalogue
// that knows the place. What is rejected again is told again; the rest is deleted once all of that input has been folded. Events need
// no such care: what was accepted stays accepted, and of two forms of one event the same counts everywhere.
func (f *fold) Retell(rec *pb.Record) {
	if r := rec.GetReject(); r != nil && !rec.Deleted && r.AcceptedAt == 0 {
		if f.stale == nil {
			f.stale = map[string]*pb.Reject{}
		}
		f.stale[r.Id] = &pb.Reject{Id: r.Id, Attempts: r.Attempts, At: r.At}
	}
}

// deleteStale deletes the rows of older epochs that were due to be told again before stage time became now.
func (f *fold) deleteStale(now int64, out *stream.Out) {
	for _, id := range slices.Sorted(maps.Keys(f.stale)) {
		if r := f.stale[id]; r.At < now {
			r.AcceptedAt = now // of the versions of one attempt the accepted one counts
			out.Emit(schemas.Rejects, id, &pb.Record{Deleted: true, Body: &pb.Record_Reject{Reject: r}})
			delete(f.stale, id)
		}
	}
}

// Advance is where rejects of an older epoch are dropped; else every record is dealt with when it is folded.
func (f *fold) Advance(now int64, out *stream.Out) { f.deleteStale(now, out) }

// Snapshot is empty but for the rejects of an older epoch: there is no other state.
func (f *fold) Snapshot() ([]byte, error) {
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(f.stale)) {
		rec := &pb.Record{Body: &pb.Record_Reject{Reject: f.stale[id]}}
		one, err := proto.MarshalOptions{Deterministic: true}.Marshal(rec)
		if err != nil {
			return nil, fmt.Errorf("encode reject %s: %w", id, err)
		}
		b = protowire.AppendBytes(b, one)
	}
	return b, nil
}

// Restore replaces the state.
func (f *fold) Restore(state []byte) error {
	f.stale = nil
	for len(state) > 0 {
		one, n := protowire.ConsumeBytes(state)
		if n < 0 {
			return fmt.Errorf("rejects of an older epoch: %w", protowire.ParseError(n))
		}
		rec := new(pb.Record)
		if err := proto.Unmarshal(one, rec); err != nil {
			return fmt.Errorf("rejects of an older epoch: %w", err)
		}
		f.Retell(rec)
		state = state[n:]
	}
	return nil
}
