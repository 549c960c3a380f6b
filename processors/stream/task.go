package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// flushBytes is how much output a task gathers before it is sent in the middle of a batch.
const flushBytes = 4 << 20

// stopWithin bounds how long a task may take for its last flush and checkpoint once it was told to stop.
const stopWithin = 20 * time.Second

// How long fetches wait, see patience.
const (
	firstWait    = 250 * time.Millisecond
	shortestWait = 10 * time.Millisecond
	longestWait  = 2 * time.Second
)

// task is one partition of one stage: the fold and everything the fold is not allowed to know. One goroutine runs it.
type task struct {
	cfg   Config
	stage Stage
	index int
	fold  Fold

	epoch uint32
	now   int64 // stage time, ms; 0 until every upstream task has sent a mark
	known int64 // what the task has folded was accepted by then: now, or the stage time that it is about to reach
	in    received
	ahead rounds // what not every upstream task has reached
	out   sent

	offset    int64 // next record of the input to fold
	lastBatch batchID
	outbox    *kafkalog.Outbox
	emitter   *Out
	buf       []byte
	emitErr   error // first error inside an emit, where the fold cannot return it

	ckpt    checkpointer
	unclean bool // in this epoch a process went on after another that had not stopped cleanly: the log may hold more than the state
	lag     *kafkalog.Lag
	folds   func() // if set, called when the first answer of the broker has been folded
}

type batchID struct {
	offset int64
	crc    uint32
	known  bool
}

func newTask(cfg Config, stage Stage, index int, lag *kafkalog.Lag) *task {
	t := &task{cfg: cfg, stage: stage, index: index, fold: stage.New()}
	t.in = newReceived(stage.Upstreams, cfg.Partitions)
	t.out = newSent(stage.Outputs, cfg.Partitions, index)
	t.outbox = cfg.Log.Outbox()
	t.lag = lag
	t.emitter = NewOut(t.emit, t.tick)
	return t
}

// run restores the task and folds until ctx ends or something fails.
func (t *task) run(ctx context.Context) error {
	if err := t.restore(ctx, true); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("restore: %w", err)
	}
	return t.work(ctx)
}

// takeUpAgain goes on with the state that the task paused with, unless another process has had it since.
func (t *task) takeUpAgain(ctx context.Context) error {
	if err := t.claimed(ctx); err != nil {
		return err
	}
	return t.announce(ctx)
}

// work folds until ctx ends, and then stops the task in order.
func (t *task) work(ctx context.Context) error {
	reader := t.cfg.Log.Reader(t.topic(t.stage.Input), t.index, t.offset)
	for ctx.Err() == nil {
		reader.MaxWait = t.patience()
		batch, err := reader.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			if errors.As(err, new(*kafkalog.RangeError)) {
				err = fmt.Errorf("%w: the log was cut or replaced; restore it, or replay into a new prefix", err)
			}
			return fmt.Errorf("read %s/%d: %w", t.stage.Input, t.index, err)
		}
		if err := t.foldBatch(ctx, &batch); err != nil {
			return err
		}
		if t.folds != nil {
			t.folds()
			t.folds = nil
		}
		if err := t.outbox.Flush(ctx); err != nil {
			if ctx.Err() != nil {
				break // stop sends the rest
			}
			return fmt.Errorf("send what was emitted: %w", err)
		}
		t.cfg.hit("after-produce")
		if err := t.checkpointIfDue(ctx); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	return t.stop(ctx)
}

// patience is how long a fetch may wait for records. A broker that has some answers at once; what must not wait for them is a checkpoint
// that becomes due, and whoever wants to be told that the task folds.
func (t *task) patience() time.Duration {
	if t.folds != nil {
		return firstWait
	}
	in, never := t.due()
	if never {
		return longestWait
	}
	return min(max(in, shortestWait), longestWait)
}

// stop writes what is still to be written, and a checkpoint after which nothing was written.
func (t *task) stop(ctx context.Context) error {
	ctx, cancel := stubborn(ctx)
	defer cancel()
	if err := t.outbox.Flush(ctx); err != nil {
		return fmt.Errorf("last flush (the next start goes on from the last checkpoint): %w", err)
	}
	if err := t.checkpoint(ctx, true); err != nil {
		return fmt.Errorf("last checkpoint (the next start goes on from the one before): %w", err)
	}
	return nil
}

// foldBatch folds one answer of the broker, whole: a checkpoint never falls inside one. After an error the task's state is of no
// more use, and nothing of it may be written down.
func (t *task) foldBatch(ctx context.Context, batch *kafkalog.Batch) error {
	for i := range batch.Records {
		if err := t.foldRecord(&batch.Records[i]); err != nil {
			return err
		}
		if t.outbox.Buffered() > flushBytes {
			if err := t.flushThrough(ctx); err != nil {
				return fmt.Errorf("send what was emitted: %w", err)
			}
		}
	}
	if batch.Next > t.offset {
		t.offset = batch.Next
		t.lastBatch = batchID{offset: batch.LastBatchOffset, crc: batch.LastBatchCRC, known: true}
	}
	t.cfg.Metrics.folded(t.stage.Name, t.index, len(batch.Records), batch.HighWatermark-batch.Next, t.now)
	return nil
}

// stubborn is a context for work that must not be broken off half-way: it ends stopWithin after ctx does.
func stubborn(ctx context.Context) (context.Context, context.CancelFunc) {
	hard, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopWithin, cancel) })
	return hard, func() { stop(); cancel() }
}

// flushThrough flushes even when ctx has just ended, for as long as stopping may take.
func (t *task) flushThrough(ctx context.Context) error {
	ctx, cancel := stubborn(ctx)
	defer cancel()
	return t.outbox.Flush(ctx)
}

func (t *task) foldRecord(raw *kafkalog.Record) error {
	in := In{Now: t.now, Raw: raw, Partition: t.index}
	if len(t.stage.Upstreams) > 0 {
		rec := new(pb.Record)
		if err := proto.Unmarshal(raw.Value, rec); err != nil {
			return fmt.Errorf("%s/%d offset %d is not a record of corridorwatch (%w): only its own stages may write to this topic; "+
				"events belong into %q", t.stage.Input, t.index, raw.Offset, err, t.topic(schemas.Intake))
		}
		fresh, err := t.in.take(rec)
		if err != nil {
			return fmt.Errorf("%s/%d offset %d: %w", t.stage.Input, t.index, raw.Offset, err)
		}
		if !fresh {
			return nil
		}
		if _, ok := rec.Body.(*pb.Record_Mark); ok {
			if now := t.in.stageTime(); now > t.now {
				t.advance(now)
			}
			return t.emitErr
		}
		in.Rec, in.Round = rec, t.in.sender(rec.Stage, rec.Task).mark
		if in.Round > t.now {
			t.ahead.add(in.Round, rec)
			return nil
		}
	}
	t.fold.Fold(in, t.emitter)
	return t.emitErr
}

// catchUp folds what waited for the rounds up to now.
func (t *task) catchUp(now int64) {
	for _, r := range t.ahead.reached(now) {
		for _, rec := range r.recs {
			t.fold.Fold(In{Now: t.now, Rec: rec, Partition: t.index, Round: r.mark}, t.emitter)
		}
	}
}

// advance closes a round: the fold computes, and every partition the task feeds gets a mark.
func (t *task) advance(now int64) {
	t.known = now
	t.catchUp(now - 1)
	t.now = now
	t.fold.Advance(now, t.emitter)
	for i := range t.out.dests {
		t.append(&t.out.dests[i], nil, &pb.Record{Body: &pb.Record_Mark{Mark: now}})
	}
	t.catchUp(now)
}

func (t *task) tick(now int64) {
	if now > t.now {
		t.advance(now)
	}
}

func (t *task) emit(topic, key string, rec *pb.Record) {
	d := t.out.dest(topic, key)
	if d == nil {
		panic(fmt.Sprintf("stream: stage %s emits to %q, which it does not name in Outputs", t.stage.Name, topic))
	}
	t.append(d, []byte(key), rec)
}

// append numbers rec, the next for its destination, and puts it into the outbox.
func (t *task) append(d *dest, key []byte, rec *pb.Record) {
	d.seq++
	rec.Stage, rec.Task, rec.Epoch, rec.Seq, rec.KnownAt = t.stage.Name, uint32(t.index), t.epoch, d.seq, t.known
	var err error
	t.buf, err = proto.MarshalOptions{Deterministic: true}.MarshalAppend(t.buf[:0], rec)
	if err != nil && t.emitErr == nil {
		t.emitErr = fmt.Errorf("encode a record for %s: %w", d.topic, err)
	}
	t.outbox.Append(t.topic(d.topic), d.partition, key, t.buf)
}

func (t *task) topic(name string) string { return schemas.InKafka(t.cfg.Prefix, name) }
