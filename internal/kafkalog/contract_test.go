package kafkalog_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	embedded "corridorwatch/internal/embedded/broker"
	"corridorwatch/internal/kafkatest"
)

// cluster is anything that speaks Kafka.
type cluster interface{ ListenAddrs() []string }

// contract is what a client may rely on, whoever the broker is.
var contract = []struct {
	name string
	test func(*testing.T, cluster)
}{
	{"append and read", testAppendAndRead},
	{"read from the middle of a batch", testReadFromTheMiddleOfABatch},
	{"batches are cut and a large record goes alone", testBatchesAreCutAndALargeRecordGoesAlone},
	{"large batches", testLargeBatches},
	{"a record too large", testRecordTooLarge},
	{"long poll", testLongPoll},
	{"create topics", testCreateTopics},
	{"offsets and delete records", testOffsetsAndDeleteRecords},
	{"batch CRC", testBatchCRC},
	{"timestamps", testTimestamps},
	{"unknown topic", testUnknownTopic},
	{"an answer is lost", testAnswerLost},
	{"oracle reads what appender wrote", testOracleReadsWhatAppenderWrote},
	{"reader reads what oracle wrote", testReaderReadsWhatOracleWrote},
	{"kcat", testKcat},
	{"transactions", testTransactions},
	{"lag", testLag},
	{"group", testGroup},
}

// TestContract holds the embedded broker and Apache Kafka, of one node and of three, to the same contract.
func TestContract(t *testing.T) {
	hold := func(t *testing.T, c cluster) {
		for _, part := range contract {
			t.Run(part.name, func(t *testing.T) { part.test(t, c) })
		}
	}
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		b, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { b.Close() })
		hold(t, embeddedBroker{addresses{b.Addr()}})
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		t.Parallel()
		real := kafkatest.StartConfig(t, kafkatest.Config{Nodes: 1, Secure: true})
		hold(t, addresses(real.Inside()))
		t.Run("passwords and grants", func(t *testing.T) { testGrants(t, real) })
	})
	t.Run("Apache Kafka of three nodes", func(t *testing.T) {
		t.Parallel()
		hold(t, kafkatest.StartConfig(t, kafkatest.Config{Nodes: 3, Proxied: true}))
	})
}

type addresses []string

func (a addresses) ListenAddrs() []string { return a }

// embeddedBroker differs from the others in what tests name.
type embeddedBroker struct{ addresses }

// topics counts the names that tests have taken: a broker forgets a topic that was deleted in its own time.
var topics atomic.Int64

func unique() string { return fmt.Sprint("t", topics.Add(1)) }
