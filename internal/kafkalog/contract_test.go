package kafkalog_test

import (
	"fmt"
	"sync/atomic"
	"testing"

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
	{"create topics", testCreateTopics},
	{"offsets and delete records", testOffsetsAndDeleteRecords},
	{"batch CRC", testBatchCRC},
	{"unknown topic", testUnknownTopic},
	{"oracle reads what appender wrote", testOracleReadsWhatAppenderWrote},
	{"reader reads what oracle wrote", testReaderReadsWhatOracleWrote},
	{"transactions", testTransactions},
	{"lag", testLag},
}

// TestContract holds the embedded broker and Apache Kafka to the same contract.
func TestContract(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		for _, c := range contract {
			t.Run(c.name, func(t *testing.T) { c.test(t, broker(t)) })
		}
	})
	t.Run("Apache Kafka", func(t *testing.T) {
		real := kafkatest.Start(t, 1)
		for _, c := range contract {
			t.Run(c.name, func(t *testing.T) { c.test(t, real) })
		}
	})
}

// topics counts the names that tests have taken: a broker forgets a topic that was deleted in its own time.
var topics atomic.Int64

func unique() string { return fmt.Sprint("t", topics.Add(1)) }
