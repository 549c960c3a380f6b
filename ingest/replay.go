package ingest

import (
	"context"
	"fmt"
	"time"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
)

// Replay sends what lies in the intake topic of one installation to that of another, every record under the stage time at which it was
// accepted there:
//
//	intake/0 of the old: tick 10  a  b  tick 20  d ─┐
//	intake/1 of the old: tick 10  c  tick 20  e  f ─┴► tick 10  a b c  tick 20  d e f ─► all partitions of the new
//
// So what was late there is late here, whatever the number of partitions. Ticks between which nothing came are thinned out to one a
// minute: what a stage computes at a tick depends on what came and on the time alone.
type Replay struct {
	Log        *kafkalog.Client
	Prefix     string // of the old installation
	Partitions int
	To         *Writer
	Follow     bool // go on with what arrives until the context ends
	// Progress, if set, is called now and then.
	Progress func(done, total int64, at time.Time)

	lanes []*replayLane
	tick  int64 // last tick sent, ms
	from  int64 // records accepted before were sent by an earlier start
	done  int64
	total int64
}

// replayLane is one partition of the old intake topic.
type replayLane struct {
	partition int
	reader    *kafkalog.Reader
	batch     kafkalog.Batch
	next      int   // of the batch
	end       int64 // nothing is read from here on, unless it follows
	time      int64 // of the last tick
}

// BeginsLater says that the intake topic no longer begins with the beginning.
type BeginsLater struct {
	Topic     string
	Partition int
	Offset    int64
	At        time.Time // first tick that is left
}

func (e *BeginsLater) Error() string {
	return fmt.Sprintf("%s/%d begins at offset %d: what was sent before %s is no longer there", e.Topic, e.Partition, e.Offset, e.At.Format(time.RFC3339))
}

// Run replays from the beginning, or from where an earlier Run into the same installation was stopped. have is the stage time up to
// which the new installation has history from elsewhere, 0: none.
func (r *Replay) Run(ctx context.Context, have int64) error {
	return r.run(ctx, have, func() {})
}

// run calls step before each record, for tests.
func (r *Replay) run(ctx context.Context, have int64, step func()) error {
	var err error
	if r.from, err = SentUntil(ctx, r.To); err != nil {
		return fmt.Errorf("find where the replay was stopped: %w", err)
	}
	r.from = max(r.from, have)
	r.tick = r.from
	if err := r.open(ctx); err != nil {
		return err
	}
	for {
		l, err := r.earliest(ctx)
		if err != nil {
			if r.Follow && ctx.Err() != nil {
				break
			}
			return err
		}
		if l == nil {
			break
		}
		if step(); ctx.Err() != nil && !r.Follow {
			return ctx.Err()
		}
		r.send(l)
		if err := r.To.FlushIfFull(ctx); err != nil {
			return err
		}
	}
	r.closeRound()
	r.show()
	return r.To.Flush(context.WithoutCancel(ctx))
}

func (r *Replay) open(ctx context.Context) error {
	topic := schemas.InKafka(r.Prefix, schemas.Intake)
	for p := range r.Partitions {
		start, end, err := r.Log.Offsets(ctx, topic, p)
		if err != nil {
			return err
		}
		if start > 0 {
			first, err := firstTick(ctx, r.Log.Reader(topic, p, start))
			if err != nil {
				return fmt.Errorf("look for the first tick of %s/%d: %w", topic, p, err)
			}
			if first > r.from {
				return &BeginsLater{topic, p, start, time.UnixMilli(first).UTC()}
			}
		}
		r.total += end - start
		r.lanes = append(r.lanes, &replayLane{partition: p, reader: r.Log.Reader(topic, p, start), end: end})
	}
	return nil
}

// earliest is the lane whose next record was accepted first; nil at the end. Every lane stands before a record then, or at its end.
func (r *Replay) earliest(ctx context.Context) (*replayLane, error) {
	for {
		var best *replayLane
		for _, l := range r.lanes {
			if !l.ended(r.Follow) && (best == nil || l.time < best.time) {
				best = l
			}
		}
		if best == nil {
			return nil, nil
		}
		tick, ready, err := r.peek(ctx, best)
		if err != nil {
			return nil, err
		}
		if ready && !tick {
			return best, nil
		}
		if ready && r.floor() >= r.tick+minute {
			r.sendTick(r.floor())
		}
	}
}

// floor is the time that every lane has reached.
func (r *Replay) floor() int64 {
	at, first := int64(0), true
	for _, l := range r.lanes {
		if !l.ended(r.Follow) && (first || l.time < at) {
			at, first = l.time, false
		}
	}
	return at
}

func (l *replayLane) ended(follow bool) bool {
	return !follow && l.next == len(l.batch.Records) && l.reader.Offset() >= l.end
}

// peek brings the lane's next record; ticks it takes itself.
func (r *Replay) peek(ctx context.Context, l *replayLane) (tick, ready bool, err error) {
	if l.next == len(l.batch.Records) {
		if r.Follow {
			r.show()
			if err := r.To.Flush(ctx); err != nil {
				return false, false, err
			}
		}
		if l.batch, err = l.reader.Next(ctx); err != nil {
			return false, false, fmt.Errorf("read %s/%d: %w", schemas.Intake, l.partition, err)
		}
		if l.next = 0; len(l.batch.Records) == 0 {
			return false, false, nil
		}
	}
	rec := &l.batch.Records[l.next]
	t, tick := tickTime(rec.Value)
	if tick {
		l.time = max(l.time, t)
		l.take(r)
	}
	return tick, true, nil
}

func (l *replayLane) take(r *Replay) {
	l.next++
	r.done++
	if r.done%10_000 == 0 {
		r.show()
	}
}

// send sends the lane's next record, behind the tick at which it was accepted.
func (r *Replay) send(l *replayLane) {
	rec := &l.batch.Records[l.next]
	if l.time >= r.from {
		r.sendTick(l.time)
		r.To.raw(rec)
	}
	l.take(r)
}

func (r *Replay) sendTick(t int64) {
	if t > r.tick {
		r.To.Tick(t)
		r.tick = t
	}
}

// closeRound sends the last tick that every lane had.
func (r *Replay) closeRound() {
	at := int64(0)
	for i, l := range r.lanes {
		if i == 0 || l.time < at {
			at = l.time
		}
	}
	r.sendTick(at)
}

// Until is the last tick sent, ms.
func (r *Replay) Until() int64 { return r.tick }

func (r *Replay) show() {
	if r.Progress != nil {
		r.Progress(r.done, max(r.total, r.done), time.UnixMilli(r.tick).UTC())
	}
}
