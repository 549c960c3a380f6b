// Package stream runs stages: it reads a partition, checks sequence numbers, keeps stage time, folds, writes what the fold emits,
// and checkpoints. A stage itself is a Fold: state and one record in, new state and records out.
//
// A fold does no I/O, reads no clock, starts no goroutine, ranges over no map where the order shows, and uses nothing random:
// folding the same partition twice gives the same bytes. That is what makes work done again the same work, and restart safe.
package stream

import (
	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas/pb"
)

// Stage describes one stage of the flow.
type Stage struct {
	Name pb.Stage
	// Input is the one topic the stage reads (without prefix). Task t reads partition t.
	Input string
	// Upstreams are the stages that write Input; the stage's time is the minimum over the last marks of all their tasks.
	// Empty for intake: its input is raw and its time comes as ticks within it.
	Upstreams []pb.Stage
	// Outputs are the topics it writes.
	Outputs []string
	// Logic names the version of the fold; another one opens a new epoch.
	Logic string
	// New makes the empty state of one task.
	New func() Fold
}

// Fold is the state of one task and the rule by which records change it. One goroutine owns it.
type Fold interface {
	// Fold takes one record. It may keep what In.Rec points to, never what In.Raw points to.
	Fold(in In, out *Out)
	// Advance tells that stage time has become now: what was folded before belongs to a closed round. It is where results
	// are computed and timers fire. now grows from call to call, by a tick or by months.
	Advance(now int64, out *Out)
	// Snapshot returns the whole state: equal states give equal bytes.
	Snapshot() ([]byte, error)
	// Restore replaces the state by what Snapshot returned.
	Restore(state []byte) error
}

// Piece is a part of a state that changes as one, such as all of one run.
type Piece struct {
	Key   string
	Value []byte // nil: it is gone
}

// Pieces is a fold whose state falls into pieces of which few change between two checkpoints.
type Pieces interface {
	Fold
	// Changed returns the pieces that changed since the last Changed, Snapshot or Restore, ordered by key.
	Changed() ([]Piece, error)
	// Apply replaces pieces by what Changed returned.
	Apply([]Piece) error
}

// Reteller is a fold that tells rows only when they change, and so knows what it told last.
type Reteller interface {
	// Retell says that an older epoch has told rec since the state was taken. The fold forgets what it told of that row: in the next
	// round it is told anew, or deleted where the state has no such row.
	Retell(rec *pb.Record)
}

// In is one record of the input.
type In struct {
	Now       int64            // stage time, ms
	Rec       *pb.Record       // decoded record; nil for a stage without upstreams
	Raw       *kafkalog.Record // the record as it lies in the log
	Partition int              // of the input
	Round     int64            // last mark of the record's writer before it, ms: all records between two marks of a task are one round
}

// Out takes what a fold emits. Records of one fold call go out in the order of the calls.
type Out struct {
	emit func(topic, key string, rec *pb.Record)
	tick func(t int64)
}

// NewOut makes an Out that hands everything on; tests use it to fold without a broker.
func NewOut(emit func(topic, key string, rec *pb.Record), tick func(t int64)) *Out {
	return &Out{emit: emit, tick: tick}
}

// Emit writes rec to topic. The runtime fills stage, task, epoch, seq and known_at, and chooses the partition: the key's for
// topics between stages, the task's own for result topics. Out owns rec from here on.
func (o *Out) Emit(topic, key string, rec *pb.Record) { o.emit(topic, key, rec) }

// Tick tells the runtime that the record just folded was a tick of time t (ms). Only intake, which has no upstream, calls it.
func (o *Out) Tick(t int64) { o.tick(t) }
