package broker

import (
	"log/slog"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// minRoom is how much of the disk the broker leaves free unless told otherwise. kfake takes back a record batch that a full disk cut
	// short, and says that something went wrong; but it acknowledges topics and offsets that it could not write. With this much room they
	// always can be.
	minRoom = 32 << 20
	// tellRoomEvery is how often a full disk is told of.
	tellRoomEvery = 10 * time.Second
)

// room refuses what would grow the logs while the disk is all but full. Clients try again without end, as they do when a broker of a
// cluster loses its disk.
type room struct {
	dir  string
	min  int64
	log  *slog.Logger
	full bool
	told time.Time
}

// guard is asked for every request of the kinds that write; one goroutine asks.
func (r *room) guard(req kmsg.Request) (answer kmsg.Response, handled bool) {
	free, err := freeBytes(r.dir)
	if err != nil {
		r.log.Warn("embedded broker: how much of the disk is free is not known", "dir", r.dir, "err", err)
		return nil, false
	}
	if free >= r.min {
		if r.full {
			r.full = false
			r.log.Info("embedded broker: the disk has room again", "dir", r.dir, "free_bytes", free)
		}
		return nil, false
	}
	if !r.full || time.Since(r.told) > tellRoomEvery {
		r.full, r.told = true, time.Now()
		r.log.Warn("embedded broker: the disk is full, and nothing is taken until there is room: make some, or move the data directory to a larger disk",
			"dir", r.dir, "free_bytes", free, "wanted_bytes", r.min)
	}
	return refuse(req), true
}

func freeBytes(dir string) (int64, error) {
	var s syscall.Statfs_t
	err := syscall.Statfs(dir, &s)
	return int64(s.Bavail) * s.Bsize, err
}

// refuse answers a request for each of its topics that the disk is at fault. Nil means that no answer is wanted.
func refuse(req kmsg.Request) kmsg.Response {
	code := kerr.KafkaStorageError.Code
	switch req := req.(type) {
	case *kmsg.ProduceRequest:
		if req.Acks == 0 {
			return nil
		}
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		for _, t := range req.Topics {
			topic := kmsg.NewProduceResponseTopic()
			topic.Topic, topic.TopicID = t.Topic, t.TopicID
			for _, p := range t.Partitions {
				partition := kmsg.NewProduceResponseTopicPartition()
				partition.Partition, partition.ErrorCode, partition.BaseOffset = p.Partition, code, -1
				topic.Partitions = append(topic.Partitions, partition)
			}
			res.Topics = append(res.Topics, topic)
		}
		return res
	case *kmsg.CreateTopicsRequest:
		res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
		for _, t := range req.Topics {
			topic := kmsg.NewCreateTopicsResponseTopic()
			topic.Topic, topic.ErrorCode = t.Topic, code
			res.Topics = append(res.Topics, topic)
		}
		return res
	}
	return nil
}
