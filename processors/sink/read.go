package sink

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

// place is a partition of a topic (without prefix).
type place struct {
	topic     string
	partition int
}

// end is how far a partition has been read: the next offset, and the last number taken of each task that writes it.
type end struct {
	next    int64
	senders []sender
}

// portion is what one fetch brought, sorted into sheets. Whoever gets it owns it.
type portion struct {
	from   place
	end    end
	sheets [kinds]*sheet
	rows   int
	bytes  int
}

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
			if err := p.overtaken(ctx, gone.Start, gone.End); err != nil {
				return err
			}
			reader = p.reader()
			continue
		}
		p.metrics.lagging(p.topic.Name, p.index, batch.HighWatermark-batch.Next)
		if batch.Next == p.next {
			continue
		}
		// What precedes a record that cannot be taken is sound and handed on before the error is told.
		portion, err := p.decode(&batch)
		select {
		case c.portions <- portion:
		case <-c.done:
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *partition) reader() *kafkalog.Reader {
	r := p.cfg.Log.Reader(p.inKafka(), p.index, p.next)
	r.MaxBytes, r.MaxWait = fetchBytes, fetchWait
	return r
}

// decode sorts the records of a batch into sheets. On an error the portion holds what lay before the record that caused it.
func (p *partition) decode(batch *kafkalog.Batch) (portion, error) {
	out := portion{from: p.place()}
	err := p.decodeRecords(batch, &out)
	if err == nil {
		p.next = batch.Next
	}
	out.end = end{p.next, p.senders.copy()}
	return out, err
}

func (p *partition) decodeRecords(batch *kafkalog.Batch, out *portion) error {
	for i := range batch.Records {
		raw := &batch.Records[i]
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
	}
	return nil
}

// sort puts a record's row into the sheet of its kind.
func (p *partition) sort(rec *pb.Record, out *portion) error {
	k, ok, err := kindOf(p.topic.Name, rec)
	if err != nil || !ok {
		return err
	}
	if out.sheets[k] == nil {
		out.sheets[k] = p.free.get(k)
	}
	out.sheets[k].take(rec)
	out.rows++
	return nil
}
