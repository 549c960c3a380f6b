package simulation

import (
	"context"
	"encoding/binary"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/proto"

	"corridorwatch/internal/longtest"
	"corridorwatch/processors/stream"
	"corridorwatch/schemas/pb"
)

// planted are bugs of the kinds the harness is for. Each makes what one of its runs needs: some count.
var planted = []struct {
	name string
	make func() plant
	by   []string // what catches it, one of them
}{
	{"lost produce", lostProduce, []string{"sequence gap"}},
	{"skipped sequence", skippedSequence, []string{"sequence gap"}},
	{"reordered produce", reorderedProduce, []string{"sequence gap"}},
	{"acknowledged before it was written", earlyAcknowledgement, []string{"sequence gap", "log was cut or replaced"}},
	{"lost state piece", lostPiece, []string{"not the same work again", "the tables differ"}},
	{"map order", mapOrder, []string{"not the same work again", "the tables differ"}},
	{"offsets stored before rows", offsetsFirst, []string{"the tables differ"}},
}

// within is how many seeds may pass until a planted bug is caught.
const within = 400

// TestLongPlanted puts in one bug after the other: the first seeds must catch it.
func TestLongPlanted(t *testing.T) {
	longtest.Only(t)
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) {
			for seed := range uint64(within) {
				v := newJudge(t, p.make()).verdict(newCase(seed))
				for _, by := range p.by {
					if i := strings.Index(v, by); i >= 0 {
						line, _, _ := strings.Cut(v[i:], "\n")
						t.Logf("caught by seed %d: %s", seed, line[:min(len(line), 160)])
						return
					}
				}
				if v != "" {
					t.Logf("seed %d, otherwise: %s", seed, v[:min(len(v), 300)])
				}
			}
			t.Errorf("none of %d seeds has caught it", within)
		})
	}
}

// lostProduce acknowledges one batch of a stage that the broker never gets.
func lostProduce() plant {
	n := counter{at: 12}
	return plant{produce: func(p *process, request []byte) (pass, answer []byte) {
		if ofStages(p, request) && n.hit() {
			return nil, acknowledged(request)
		}
		return request, nil
	}}
}

// skippedSequence leaves out a number of every partition's records.
func skippedSequence() plant {
	return plant{produce: func(p *process, request []byte) (pass, answer []byte) {
		if ofStages(p, request) {
			request = renumbered(request, func(r *pb.Record) {
				if r.Seq > 20 {
					r.Seq++
				}
			})
		}
		return request, nil
	}}
}

// reorderedProduce sends a batch behind the next one to the same partitions, as a client with two requests in flight can.
func reorderedProduce() plant {
	var mu sync.Mutex
	var held []byte
	n := counter{at: 12}
	return plant{produce: func(p *process, request []byte) (pass, answer []byte) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !ofStages(p, request):
		case held == nil && n.hit():
			held = request
			return nil, acknowledged(request)
		case len(held) > 0 && overlap(held, request):
			late := held
			held = []byte{}
			p.sim.late.Go(func() { time.Sleep(time.Millisecond); p.sim.deliver(late) })
		}
		return request, nil
	}}
}

// earlyAcknowledgement acknowledges every batch a little before it is written; what a killed process has not written is lost, though
// its checkpoints count it.
func earlyAcknowledgement() plant {
	queues := map[*process]chan []byte{}
	var mu sync.Mutex
	return plant{produce: func(p *process, request []byte) (pass, answer []byte) {
		if !ofStages(p, request) {
			return request, nil
		}
		mu.Lock()
		defer mu.Unlock()
		q := queues[p]
		if q == nil {
			q = make(chan []byte, 1000)
			queues[p] = q
			p.sim.processes.Go(func() { writeBehind(p, q) })
		}
		q <- request
		return nil, acknowledged(request)
	}}
}

func writeBehind(p *process, q chan []byte) {
	for {
		select {
		case request := <-q:
			time.Sleep(150 * time.Millisecond)
			if p.isDead() {
				return
			}
			p.sim.deliver(request)
		case <-p.done:
			if len(q) == 0 {
				return
			}
		}
	}
}

// lostPiece forgets one changed piece of each checkpoint of pieces.
func lostPiece() plant {
	return plant{stage: func(s stream.Stage) stream.Stage {
		return wrapped(s, func(f stream.Pieces) stream.Fold { return &losing{f} })
	}}
}

type losing struct{ stream.Pieces }

func (l *losing) Changed() ([]stream.Piece, error) {
	pieces, err := l.Pieces.Changed()
	return pieces[min(1, len(pieces)):], err
}

func (l *losing) Retell(rec *pb.Record) { l.Pieces.(stream.Reteller).Retell(rec) }

// mapOrder emits what a round brings in the order of a map.
func mapOrder() plant {
	return plant{stage: func(s stream.Stage) stream.Stage {
		return wrapped(s, func(f stream.Pieces) stream.Fold { return &unordered{f} })
	}}
}

type unordered struct{ stream.Pieces }

func (u *unordered) Advance(now int64, out *stream.Out) {
	type emitted struct {
		topic, key string
		rec        *pb.Record
	}
	byKey := map[string][]emitted{}
	u.Pieces.Advance(now, stream.NewOut(func(topic, key string, rec *pb.Record) {
		byKey[key] = append(byKey[key], emitted{topic, key, rec})
	}, nil))
	for _, all := range byKey {
		for _, e := range all {
			out.Emit(e.topic, e.key, e.rec)
		}
	}
}

func (u *unordered) Retell(rec *pb.Record) { u.Pieces.(stream.Reteller).Retell(rec) }

// wrapped puts something around the folds of a stage that has state.
func wrapped(s stream.Stage, with func(stream.Pieces) stream.Fold) stream.Stage {
	plain := s.New
	s.New = func() stream.Fold {
		if f, ok := plain().(stream.Pieces); ok {
			return with(f)
		}
		return plain()
	}
	return s
}

// offsetsFirst sends rows a little after the sink believes they were stored.
func offsetsFirst() plant {
	return plant{conn: func(p *process, c driver.Conn) driver.Conn { return &hasty{c, p} }}
}

type hasty struct {
	driver.Conn
	p *process
}

func (h *hasty) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	if strings.Contains(query, ".sink_offsets ") || strings.Contains(query, ".ticks ") {
		return h.Conn.PrepareBatch(ctx, query, opts...)
	}
	b, err := h.Conn.PrepareBatch(context.WithoutCancel(ctx), query, opts...)
	return &behind{b, h.p}, err
}

type behind struct {
	driver.Batch
	p *process
}

func (b *behind) Send() error {
	b.p.sim.late.Go(func() {
		time.Sleep(200 * time.Millisecond)
		if !b.p.isDead() {
			b.Batch.Send()
		}
		b.Batch.Close()
	})
	return nil
}

func (b *behind) Close() error { return nil }

// counter hits once.
type counter struct {
	mu sync.Mutex
	n  int
	at int
}

func (c *counter) hit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n == c.at
}

// ofStages tells whether a produce request brings what stages emit.
func ofStages(p *process, request []byte) bool {
	return !p.slot.once && p.slot.name != "closing" && classOf(request) == "produce"
}

// opened decodes a produce request.
func opened(request []byte) (client string, correlation int32, req *kmsg.ProduceRequest) {
	req = kmsg.NewPtrProduceRequest()
	req.Version = int16(binary.BigEndian.Uint16(request[6:]))
	correlation = int32(binary.BigEndian.Uint32(request[8:]))
	n := int(binary.BigEndian.Uint16(request[12:]))
	if err := req.ReadFrom(request[14+n:]); err != nil {
		panic(err)
	}
	return string(request[14 : 14+n]), correlation, req
}

// acknowledged is the answer of a broker that has done what a produce request asks for.
func acknowledged(request []byte) []byte {
	_, correlation, req := opened(request)
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, t := range req.Topics {
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			part := kmsg.NewProduceResponseTopicPartition()
			part.Partition = p.Partition
			topic.Partitions = append(topic.Partitions, part)
		}
		res.Topics = append(res.Topics, topic)
	}
	out := res.AppendTo(make([]byte, 8))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	binary.BigEndian.PutUint32(out[4:], uint32(correlation))
	return out
}

func overlap(a, b []byte) bool {
	_, _, ra := opened(a)
	_, _, rb := opened(b)
	for _, ta := range ra.Topics {
		for _, tb := range rb.Topics {
			if ta.Topic == tb.Topic && ta.Partitions[0].Partition == tb.Partitions[0].Partition {
				return true
			}
		}
	}
	return false
}

// renumbered changes the records of a produce request.
func renumbered(request []byte, change func(*pb.Record)) []byte {
	client, correlation, req := opened(request)
	for i := range req.Topics {
		for k := range req.Topics[i].Partitions {
			part := &req.Topics[i].Partitions[k]
			part.Records = rebatched(part.Records, change)
		}
	}
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, req, correlation)
}

// deliver brings a request to the broker.
func (s *sim) deliver(request []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := s.network.DialContext(ctx, "tcp", broker)
	if err != nil {
		return
	}
	defer c.Close()
	if _, err := c.Write(request); err == nil {
		io.ReadFull(c, make([]byte, 8))
	}
}

// rebatched encodes the records of a batch anew.
func rebatched(raw []byte, change func(*pb.Record)) []byte {
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(raw); err != nil {
		panic(err)
	}
	var records []byte
	err := eachRecordOf(&batch, func(r *kmsg.Record) {
		rec := new(pb.Record)
		if err := proto.Unmarshal(r.Value, rec); err != nil {
			panic(err)
		}
		change(rec)
		r.Value, _ = proto.MarshalOptions{Deterministic: true}.Marshal(rec)
		r.Length = 0
		body := r.AppendTo(nil)[1:] // a length of 0 takes one byte
		records = append(binary.AppendVarint(records, int64(len(body))), body...)
	})
	if err != nil {
		panic(err)
	}
	batch.Records = records
	batch.Length = int32(49 + len(records))
	out := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(out[17:], checksum(out[21:]))
	return out
}
