package broker_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"corridorwatch/internal/embedded/broker"
)

// smallDisk mounts one in memory.
func smallDisk(t *testing.T, bytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("a full disk is not tested: a small one can be mounted by root alone: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// leave takes room away until so much is left, or `remove` is called.
func leave(t *testing.T, dir string, bytes int64) (remove func()) {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ballast")
	if err := os.WriteFile(path, make([]byte, int64(s.Bavail)*s.Bsize-bytes), 0o644); err != nil {
		t.Fatal(err)
	}
	return func() { os.Remove(path) }
}

func startIn(t *testing.T, dir string, minRoom int64) *broker.Broker {
	t.Helper()
	b, err := broker.Start(broker.Config{Dir: dir, Listen: ":0", MinRoom: minRoom})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// fill produces until that fails, and returns how many records were acknowledged.
func fill(t *testing.T, addr, topic string, from, size int) (acknowledged int, err error) {
	t.Helper()
	for i := from; i < from+10_000; i++ {
		value := fmt.Sprintf("%d:%s", i, strings.Repeat("x", size))
		resp, err := client(addr).Produce(t.Context(), &kafka.ProduceRequest{
			Topic: topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Time: time.Now(), Value: kafka.NewBytes([]byte(value))}),
		})
		if err == nil {
			err = resp.Error
		}
		if err != nil {
			return i - from, err
		}
	}
	t.Fatal("the disk does not become full")
	return 0, nil
}

// holds checks that a topic holds the records acknowledged, each once, in order, and nothing else.
func holds(t *testing.T, addr, topic string, n int) {
	t.Helper()
	for i, v := range strings.Fields(read(t, addr, topic, 0, n)) {
		if !strings.HasPrefix(v, fmt.Sprintf("%d:", i)) {
			t.Fatalf("record %d is %.20s", i, v)
		}
	}
	resp, err := client(addr).ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{topic: {kafka.LastOffsetOf(0)}}})
	if err != nil {
		t.Fatal(err)
	}
	if end := resp.Topics[topic][0].LastOffset; end != int64(n) {
		t.Errorf("the log ends at %d, want %d", end, n)
	}
}

// While little of the disk is free the broker takes nothing, and says that the disk is at fault; then it goes on.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, 8<<20)
	remove := leave(t, dir, 4<<20)
	b := startIn(t, dir, 2<<20)
	createTopic(t, b.Addr(), "gates", 1)
	n, err := fill(t, b.Addr(), "gates", 0, 50_000)
	if n == 0 || !errors.Is(err, kafka.KafkaStorageError) {
		t.Errorf("%d records taken, then %v", n, err)
	}
	topics, err := client(b.Addr()).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: "more", NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil || !errors.Is(topics.Errors["more"], kafka.KafkaStorageError) {
		t.Errorf("a topic made on a full disk: %v, %v", topics, err)
	}
	holds(t, b.Addr(), "gates", n)
	remove()
	more, err := fill(t, b.Addr(), "gates", n, 50_000)
	if more == 0 || !errors.Is(err, kafka.KafkaStorageError) {
		t.Errorf("with room again %d records taken, then %v", more, err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	holds(t, startIn(t, dir, 2<<20).Addr(), "gates", n+more) // it starts on a full disk too
}

// A disk that runs full within a write, whoever filled it: what was acknowledged is there, what was not is not, also after a restart.
func TestDiskFullWithinAWrite(t *testing.T) {
	dir := smallDisk(t, 2<<20)
	b := startIn(t, dir, 1)
	createTopic(t, b.Addr(), "gates", 1)
	total := 0
	for round := range 4 {
		remove := leave(t, dir, int64(60_000+round*1009))
		n, err := fill(t, b.Addr(), "gates", total, 900+round)
		if err == nil || n == 0 {
			t.Errorf("%d records taken, then %v", n, err)
		}
		total += n
		if round%2 == 0 {
			b.Close()
			b = startIn(t, dir, 1)
		}
		holds(t, b.Addr(), "gates", total)
		remove()
	}
}
