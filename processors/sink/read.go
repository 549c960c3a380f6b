package sink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/kafkalog"
	"corridorwatch/schemas"
	"corridorwatch/schemas/clickhouse"
	"corridorwatch/schemas/pb"
)

// place is a partition of a topic (without prefix).
type place struct {
	topic     string
	partition int
}

// end is how far a partition has been read: the next offset, the last number taken of each task that writes it, and where the log
// ended by then.
type end struct {
	next    int64
	senders []sender
	high    int64
}

// portion is what one fetch brought, or a part of that, sorted into sheets, of each shard its own. Whoever gets it owns it.
type portion struct {
	from   place
	end    end
	shards []sorted
	rows   int
	bytes  int
}

// sorted are sheets by the kind of their rows.
type sorted [kinds]*sheet

// partition reads one partition. One goroutine owns it.
type partition struct {
	*worker
	topic   schemas.Topic
	index   int
	next    int64
	senders senders
}

func (p *partition) place() place    { return place{p.topic.Name, p.index} }
func (p *partition) String() string  { return fmt.Sprintf("%s/%d", p.inKafka(), p.index) }
func (p *partition) inKafka() string { return schemas.InKafka(p.cfg.Prefix, p.topic.Name) }

const (
	fetchBytes = 1 << 20
	// fetchWait bounds how long a fetch waits for a first record; the broker answers at once when there is one.
	fetchWait = 2 * time.Second
	// portionRows bounds a portion, and with it how far a flush may exceed MaxRows: what is packed well may be many rows.
	portionRows = 20_000
)

// read hands on what lies in the partition until ctx ends.
func (p *partition) read(ctx context.Context, c *collector) error {
	if err := p.start(ctx); err != nil {
		return err
	}
	reader := p.reader()
	for ctx.Err() == nil {
		batch, err := reader.Next(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			gone := new(kafkalog.RangeError)
			if !errors.As(err, &gone) {
				return err
			}
			if err := p.overtaken(ctx, gone); err != nil {
				return err
			}
			reader = p.reader()
			continue
		}
		p.metrics.lagging(p.topic.Name, p.index, batch.HighWatermark-batch.Next)
		if batch.Next == p.next {
			continue
		}
		for p.next < batch.Next {
			// What precedes a record that cannot be taken is sound and handed on before the error is told.
			portion, err := p.decode(&batch)
			select {
			case c.portions <- portion:
			case <-c.done:
			case <-ctx.Done(): // it is read again at the next start
				return nil
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *partition) reader() *kafkalog.Reader {
	r := p.cfg.Log.Reader(p.inKafka(), p.index, p.next)
	r.MaxBytes, r.MaxWait = fetchBytes, fetchWait
	return r
}

// decode sorts the first records of a batch into sheets, as many as make a portion, and takes them off the batch. On an error the
// portion holds what lay before the record that caused it.
func (p *partition) decode(batch *kafkalog.Batch) (portion, error) {
	out := portion{from: p.place(), shards: make([]sorted, len(p.shards))}
	err := p.decodeRecords(batch, &out)
	if err == nil && len(batch.Records) == 0 {
		p.next = batch.Next
	}
	out.end = end{p.next, p.senders.copy(), batch.HighWatermark}
	return out, err
}

func (p *partition) decodeRecords(batch *kafkalog.Batch, out *portion) error {
	for len(batch.Records) > 0 && out.rows < portionRows {
		raw := &batch.Records[0]
		rec := new(pb.Record)
		if err := proto.Unmarshal(raw.Value, rec); err != nil {
			return fmt.Errorf("%s offset %d is not a record of corridorwatch (%w): only its own stages may write to this topic", p, raw.Offset, err)
		}
		fresh, err := p.senders.take(rec)
		if err == nil && fresh {
			err = p.sort(rec, out)
		}
		if err != nil {
			return fmt.Errorf("%s offset %d: %w", p, raw.Offset, err)
		}
		out.bytes += len(raw.Value)
		p.next = raw.Offset + 1
		batch.Records = batch.Records[1:]
	}
	return nil
}

// sort puts a record's row into the sheet of its kind, of the shard that its key belongs to.
func (p *partition) sort(rec *pb.Record, out *portion) error {
	k, ok, err := kindOf(p.topic.Name, rec)
	if err != nil || !ok {
		return err
	}
	into := &out.shards[clickhouse.Shard(shardKey(rec), len(out.shards))][k]
	if *into == nil {
		*into = p.free.get(k)
	}
	(*into).take(rec)
	out.rows++
	return nil
}
