package simulation

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"hash/maphash"
	"io"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"corridorwatch/schemas"
	"corridorwatch/schemas/pb"
)

// number is what a record bears.
type number struct {
	stage     pb.Stage
	task      uint32
	epoch     uint32
	topic     string
	partition int32
}

// checkLogs reads every sequenced topic whole and checks that numbers are contiguous per task and epoch, and that what was sent again
// under the same number is the same, byte by byte.
func (s *sim) checkLogs() (records int) {
	last := map[number]uint64{}
	epochs := map[number]uint32{} // highest so far, by task and partition
	seed := maphash.MakeSeed()
	sums := map[number][]uint64{}
	told := 0
	err := s.eachRecord(func(topic string, partition int32, offset int64, value []byte) {
		records++
		rec, err := numbered(value)
		if err != nil {
			s.report(fmt.Errorf("%s/%d offset %d: %w", topic, partition, offset, err))
			return
		}
		n := number{rec.stage, rec.task, rec.epoch, topic, partition}
		of := n
		of.epoch = 0
		epochs[of] = max(epochs[of], rec.epoch)
		sum := maphash.Bytes(seed, value)
		switch {
		case rec.seq <= last[n]:
			if sums[n][rec.seq-1] != sum && told < 5 {
				told++
				s.report(fmt.Errorf("not the same work again: %s/%d offset %d: %v/%d epoch %d sent another record as %d: %v",
					topic, partition, offset, rec.stage, rec.task, rec.epoch, rec.seq, decoded(value)))
			}
		case rec.seq == last[n]+1:
			last[n], sums[n] = rec.seq, append(sums[n], sum)
		case rec.epoch == epochs[of] && told < 5: // of an older epoch nobody takes anything any more
			told++
			s.report(fmt.Errorf("sequence gap: %s/%d offset %d: %v/%d epoch %d sent %d after %d", topic, partition, offset, rec.stage, rec.task,
				rec.epoch, rec.seq, last[n]))
		}
	})
	if err != nil {
		s.report(fmt.Errorf("read the logs: %w", err))
	}
	return records
}

// numbered takes from a record what it is numbered by; all of it is decoded by whoever reads it.
func numbered(value []byte) (rec struct {
	number
	seq uint64
}, err error) {
	for len(value) > 0 {
		field, wire, n := protowire.ConsumeTag(value)
		if n < 0 {
			return rec, protowire.ParseError(n)
		}
		v, _ := protowire.ConsumeVarint(value[n:])
		size := protowire.ConsumeFieldValue(field, wire, value[n:])
		if size < 0 {
			return rec, protowire.ParseError(size)
		}
		value = value[n+size:]
		switch field {
		case 1:
			rec.stage = pb.Stage(v)
		case 2:
			rec.task = uint32(v)
		case 3:
			rec.epoch = uint32(v)
		case 4:
			rec.seq = v
		}
	}
	return rec, nil
}

func decoded(value []byte) *pb.Record {
	rec := new(pb.Record)
	if err := proto.Unmarshal(value, rec); err != nil {
		panic(err)
	}
	return rec
}

// eachRecord reads all sequenced topics in one request, with another decoder than the one under test.
func (s *sim) eachRecord(take func(topic string, partition int32, offset int64, value []byte)) error {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MaxBytes, req.SessionEpoch = 11, 0, 1<<30, -1
	for _, t := range schemas.Topics {
		if len(t.Writers) == 0 {
			continue
		}
		topic := kmsg.NewFetchRequestTopic()
		topic.Topic = inKafka(t.Name)
		for p := range t.Partitions(partitions) {
			part := kmsg.NewFetchRequestTopicPartition()
			part.Partition, part.PartitionMaxBytes = int32(p), 1<<30
			topic.Partitions = append(topic.Partitions, part)
		}
		req.Topics = append(req.Topics, topic)
	}
	answer, err := s.ask(req)
	if err != nil {
		return err
	}
	res := kmsg.NewPtrFetchResponse()
	res.Version = 11
	if err := res.ReadFrom(answer); err != nil {
		return err
	}
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return fmt.Errorf("%s/%d: code %d", t.Topic, p.Partition, p.ErrorCode)
			}
			if err := eachInBatches(p.RecordBatches, func(offset int64, r *kmsg.Record) { take(t.Topic, p.Partition, offset, r.Value) }); err != nil {
				return fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}

// ask sends one request over a connection of its own.
func (s *sim) ask(req kmsg.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := s.network.DialContext(ctx, "tcp", broker)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if _, err := c.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return nil, err
	}
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(head)-4)
	_, err = io.ReadFull(c, answer)
	return answer, err
}

// eachInBatches decodes uncompressed record batches.
func eachInBatches(b []byte, take func(offset int64, r *kmsg.Record)) error {
	for len(b) > 0 {
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(b); err != nil {
			return err
		}
		b = b[12+batch.Length:]
		err := eachRecordOf(&batch, func(r *kmsg.Record) { take(batch.FirstOffset+int64(r.OffsetDelta), r) })
		if err != nil {
			return err
		}
	}
	return nil
}

func eachRecordOf(batch *kmsg.RecordBatch, take func(*kmsg.Record)) error {
	raw := batch.Records
	for range batch.NumRecords {
		var r kmsg.Record
		if err := r.ReadFrom(raw); err != nil {
			return err
		}
		length, n := binary.Varint(raw)
		raw = raw[n+int(length):]
		take(&r)
	}
	return nil
}

// checksum is that of record batches.
func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
