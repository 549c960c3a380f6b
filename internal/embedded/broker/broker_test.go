package broker_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"corridorwatch/internal/embedded/broker"
)

// childMarker makes this test binary a broker in the directory it names, for the tests that kill one.
const childMarker = "BROKER_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childMarker); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child runs a broker until its parent kills it or closes its standard input.
func child(dir string) {
	b, err := broker.Start(broker.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func TestRecordsAndOffsetsSurviveAnOrderlyEnd(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	createTopic(t, b.Addr(), "gates", 2)
	produce(t, b.Addr(), "gates", 0, "in", "out")
	commit(t, b.Addr(), "readers", "gates", 0, 1)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, dir)
	defer b.Close()
	if got := read(t, b.Addr(), "gates", 0, 2); got != "in out" {
		t.Errorf("after a restart the log holds %q, want %q", got, "in out")
	}
	if got := committed(t, b.Addr(), "readers", "gates", 0); got != 1 {
		t.Errorf("after a restart the committed offset is %d, want 1", got)
	}
}

func TestRecordsAndOffsetsSurviveKill9(t *testing.T) {
	dir := t.TempDir()
	want := ""
	for round := range 3 {
		cmd, addr := startChild(t, dir)
		if round == 0 {
			createTopic(t, addr, "gates", 1)
		}
		value := fmt.Sprintf("round%d", round)
		produce(t, addr, "gates", 0, value)
		commit(t, addr, "readers", "gates", 0, int64(round+1))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		want = strings.TrimSpace(want + " " + value)
	}

	b := start(t, dir)
	defer b.Close()
	if got := read(t, b.Addr(), "gates", 0, 3); got != want {
		t.Errorf("after three kills the log holds %q, want %q", got, want)
	}
	if got := committed(t, b.Addr(), "readers", "gates", 0); got != 3 {
		t.Errorf("after three kills the committed offset is %d, want 3", got)
	}
}

func TestOneBrokerADirectory(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	_, err := broker.Start(broker.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "in use by another") {
		t.Errorf("second broker in this process: %v, want an error that the directory is in use", err)
	}
	out, _ := childCommand(t, dir).Output()
	if !strings.Contains(string(out), "in use by another") {
		t.Errorf("second broker in another process says %q, want that the directory is in use", out)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = start(t, dir)
	b.Close()
}

func TestAnEmptiedPartitionIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := start(t, dir)
	createTopic(t, b.Addr(), "gates", 2)
	produce(t, b.Addr(), "gates", 1, "in", "out")
	b.Close()
	segments, err := filepath.Glob(filepath.Join(dir, "partitions", "gates-1", "*.dat"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments of gates-1: %v, %v", segments, err)
	}
	for _, s := range segments {
		if err := os.Remove(s); err != nil {
			t.Fatal(err)
		}
	}
	_, err = broker.Start(broker.Config{Dir: dir, Listen: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "gates-1 held records up to offset 2") {
		t.Errorf("start on an emptied partition: %v, want an error that names it", err)
	}
}

func TestWritingMakesNoTopic(t *testing.T) {
	b := start(t, t.TempDir())
	defer b.Close()
	_, err := client(b.Addr()).Metadata(t.Context(), &kafka.MetadataRequest{Topics: []string{"typo"}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := client(b.Addr()).Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Topics) != 0 {
		t.Errorf("asking for a topic made %v", m.Topics)
	}
}

// A retention setting on one topic wakes the broker's cleaner, which looks at all topics and by its own defaults would delete what is
// older than seven days everywhere.
func TestRetentionOfOneTopicDeletesNothingInAnother(t *testing.T) {
	b := start(t, t.TempDir())
	defer b.Close()
	setBroker(t, b.Addr(), "log.cleaner.backoff.ms", "20")
	createTopic(t, b.Addr(), "gates", 1)
	produceAt(t, b.Addr(), "gates", 0, time.Now().Add(-365*24*time.Hour), "last year")
	createTopic(t, b.Addr(), "scratch", 1, kafka.ConfigEntry{ConfigName: "retention.bytes", ConfigValue: "0"})
	produce(t, b.Addr(), "scratch", 0, "gone soon")

	for deadline := time.Now().Add(20 * time.Second); firstOffset(t, b.Addr(), "scratch", 0) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the cleaner did not come by within 20 s")
		}
	}
	if got := firstOffset(t, b.Addr(), "gates", 0); got != 0 {
		t.Errorf("the log of gates begins at %d, want 0", got)
	}
	if got := read(t, b.Addr(), "gates", 0, 1); got != "last year" {
		t.Errorf("gates holds %q, want %q", got, "last year")
	}
}

func TestAddresses(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", "192.0.2.1:9092", "9092"} {
		if b, err := broker.Start(broker.Config{Dir: t.TempDir(), Listen: listen}); err == nil {
			t.Errorf("listening on %s: no error", listen)
			b.Close()
		}
	}
	first := start(t, t.TempDir())
	defer first.Close()
	if !strings.HasPrefix(first.Addr(), "127.0.0.1:") {
		t.Errorf("address %s, want one on 127.0.0.1", first.Addr())
	}
	dir := t.TempDir()
	if b, err := broker.Start(broker.Config{Dir: dir, Listen: first.Addr()}); err == nil {
		t.Errorf("a second broker on %s: no error", first.Addr())
		b.Close()
	}
	start(t, dir).Close() // the failed start let go of its directory
}

func start(t *testing.T, dir string) *broker.Broker {
	t.Helper()
	b, err := broker.Start(broker.Config{Dir: dir, Listen: ":0"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func childCommand(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childMarker+"="+dir)
	return cmd
}

func startChild(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	cmd := childCommand(t, dir)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error") {
		t.Fatalf("broker in a child process: %q, %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

func client(addr string) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(addr), Timeout: 10 * time.Second}
}

func setBroker(t *testing.T, addr, name, value string) {
	t.Helper()
	resp, err := client(addr).IncrementalAlterConfigs(t.Context(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeBroker, ResourceName: "0",
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: name, Value: value, ConfigOperation: kafka.ConfigOperationSet}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Resources[0].Error; err != nil {
		t.Fatal(err)
	}
}

func firstOffset(t *testing.T, addr, topic string, partition int) int64 {
	t.Helper()
	resp, err := client(addr).ListOffsets(t.Context(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {kafka.FirstOffsetOf(partition)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[topic][0].FirstOffset
}

func createTopic(t *testing.T, addr, topic string, partitions int, configs ...kafka.ConfigEntry) {
	t.Helper()
	resp, err := client(addr).CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Errors[topic]; err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, addr, topic string, partition int, values ...string) {
	t.Helper()
	produceAt(t, addr, topic, partition, time.Now(), values...)
}

func produceAt(t *testing.T, addr, topic string, partition int, at time.Time, values ...string) {
	t.Helper()
	var records []kafka.Record
	for _, v := range values {
		records = append(records, kafka.Record{Time: at, Value: kafka.NewBytes([]byte(v))})
	}
	resp, err := client(addr).Produce(t.Context(), &kafka.ProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(records...),
	})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Error != nil {
		t.Fatal(resp.Error)
	}
}

// read returns the first n values of a partition, with blanks between.
func read(t *testing.T, addr, topic string, partition, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{addr}, Topic: topic, Partition: partition, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	var values []string
	for range n {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("read %s/%d after %q: %v", topic, partition, values, err)
		}
		values = append(values, string(m.Value))
	}
	return strings.Join(values, " ")
}

func commit(t *testing.T, addr, group, topic string, partition int, offset int64) {
	t.Helper()
	resp, err := client(addr).OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{
		GroupID: group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{topic: {{Partition: partition, Offset: offset}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Topics[topic][0].Error; err != nil {
		t.Fatal(err)
	}
}

func committed(t *testing.T, addr, group, topic string, partition int) int64 {
	t.Helper()
	resp, err := client(addr).OffsetFetch(t.Context(), &kafka.OffsetFetchRequest{GroupID: group, Topics: map[string][]int{topic: {partition}}})
	if err != nil {
		t.Fatal(err)
	}
	return resp.Topics[topic][0].CommittedOffset
}
