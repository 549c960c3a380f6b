package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/processors/sink"
	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// run is what one task wrote in one epoch into one partition.
type run struct {
	at              partition
	stage           pb.Stage
	task, epoch     uint32
	records         int64
	first, last     uint64
	repeated, stale int64  // numbers that had been there; records of an epoch that had been superseded
	gap             string // the first
	cut             string // what would be a gap, had nothing been deleted just before

	// For the task, in Unix milliseconds by the producer's clock: when the first record was written that is left, and the one with number last.
	begun, until int64
}

// overlap is for how long two processes may write what one task has to say: one that was paused and wakes finds out at its next
// checkpoint. Where a log was cut in between, its first numbers may be repetitions of what is deleted, and the other's are higher.
const overlap = time.Minute

type writer struct {
	stage pb.Stage
	task  uint32
}

// sequences reads the topics and checks that the numbers of every task have no gap.
func (c Config) sequences(ctx context.Context, all map[partition]extent) (runs []*run, err error) {
	var done, total int64
	for _, e := range all {
		total += e.end - e.start
	}
	for _, at := range sorted(all) {
		read := func(n int64) {
			done += n
			c.Progress("read", min(done, total), total)
		}
		of, err := c.partition(ctx, at, all[at], read)
		for gone := new(kafkalog.RangeError); errors.As(err, &gone) && gone.Start > all[at].start; { // deleted in the meantime
			all[at] = all[at].without(gone.Start)
			of, err = c.partition(ctx, at, all[at], read)
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, of...)
	}
	return runs, nil
}

func (c Config) partition(ctx context.Context, at partition, e extent, read func(int64)) (runs []*run, err error) {
	reader := c.Log.Reader(schemas.InKafka(c.Prefix, at.topic), at.index, e.start)
	current := map[writer]*run{}
	for reader.Offset() < e.end {
		from := reader.Offset()
		batch, err := reader.Next(ctx)
		if err != nil {
			return nil, err
		}
		for i := range batch.Records {
			raw := &batch.Records[i]
			if raw.Offset >= e.end {
				break
			}
			rec := new(pb.Record)
			if err := proto.Unmarshal(raw.Value, rec); err != nil {
				return nil, fmt.Errorf("%s offset %d is not a record of corridorwatch: %w", at, raw.Offset, err)
			}
			if r := next(current, at, e, rec, raw); r != nil {
				runs = append(runs, r)
			}
		}
		read(batch.Next - from)
	}
	return runs, nil
}

// next counts a record; a run that begins with it is returned.
func next(current map[writer]*run, at partition, e extent, rec *pb.Record, raw *kafkalog.Record) *run {
	w := writer{rec.Stage, rec.Task}
	r := current[w]
	switch {
	case r == nil || rec.Epoch > r.epoch:
		begun := &run{at: at, stage: rec.Stage, task: rec.Task, epoch: rec.Epoch, records: 1, first: rec.Seq, last: rec.Seq, begun: raw.TimeMS}
		if r != nil {
			begun.begun, begun.until = r.begun, r.until
		}
		if rec.Seq != 1 && (r != nil || e.start == 0) {
			begun.missing(e, fmt.Sprintf("begins with number %d at offset %d", rec.Seq, raw.Offset))
		}
		begun.until = raw.TimeMS
		current[w] = begun
		return begun
	case rec.Epoch < r.epoch:
		r.stale++
	case rec.Seq <= r.last:
		r.repeated++
	default:
		if rec.Seq != r.last+1 {
			r.missing(e, fmt.Sprintf("%d follows %d at offset %d", rec.Seq, r.last, raw.Offset))
		}
		r.records++
		r.last, r.until = rec.Seq, raw.TimeMS
	}
	return nil
}

// missing takes down that numbers are not there. Once that may be because the log was cut, where the task had been heard for a short
// time; for how long it was silent then says nothing.
func (r *run) missing(e extent, what string) {
	if e.start > 0 && r.cut == "" && r.until-r.begun < overlap.Milliseconds() {
		r.cut = what
	} else {
		r.gap = cmp.Or(r.gap, what)
	}
}

// epochs are the lowest that tell what a task has to say in a partition: where one has begun before what is left, older ones that are
// left were too late.
func epochs(runs []*run) map[sink.Sender]uint32 {
	lowest, seen := map[sink.Sender]uint32{}, map[sink.Sender]bool{}
	for _, r := range runs {
		from := sink.Sender{Topic: r.at.topic, Partition: r.at.index, Stage: r.stage, Task: r.task}
		if seen[from] && r.first != 1 {
			lowest[from] = r.epoch
		}
		seen[from] = true
	}
	return lowest
}

// printRuns writes the table, and tells whether there was no gap.
func printRuns(out io.Writer, runs []*run) (whole bool, err error) {
	whole = true
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TOPIC\tTASK\tEPOCH\tRECORDS\tFIRST\tLAST\tREPEATED\tOF OLDER EPOCHS\tGAP")
	for _, r := range runs {
		gap := cmp.Or(r.gap, "none")
		if r.gap == "" && r.cut != "" {
			gap = "none known: behind what was deleted " + r.cut
		}
		whole = whole && r.gap == ""
		fmt.Fprintf(w, "%s\t%s/%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", r.at, schemas.StageName(r.stage), r.task, r.epoch, r.records, r.first, r.last, r.repeated, r.stale, gap)
	}
	return whole, w.Flush()
}

// sorted are the partitions in the order of the topics.
func sorted(all map[partition]extent) []partition {
	order := map[string]int{}
	for i, t := range schemas.Topics {
		order[t.Name] = i
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b partition) int {
		return cmp.Or(cmp.Compare(order[a.topic], order[b.topic]), cmp.Compare(a.index, b.index))
	})
}
