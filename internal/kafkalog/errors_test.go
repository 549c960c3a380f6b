package kafkalog

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
)

// kafkaErrors are all errors of Apache Kafka as franz-go lists them, with what Kafka's own client thinks of each.
func kafkaErrors(t *testing.T) (all []*kerr.Error) {
	t.Helper()
	for code := int16(-1); code < 1000; code++ {
		var e *kerr.Error
		if errors.As(kerr.ErrorForCode(code), &e) && e.Code == code {
			all = append(all, e)
		}
	}
	if len(all) < 130 {
		t.Fatalf("only %d errors", len(all))
	}
	return all
}

// What Kafka's own client tries again is tried again, and nothing else is; where that is not so, there is a reason.
func TestErrorsAreTriedAgainAsKafkaSays(t *testing.T) {
	otherwise := map[int16]string{
		-1:  "anything unexpected: what is wrong with the request stays wrong, what is wrong with the broker may pass, so it is tried for a while",
		84:  "answers a request for an election, which is not made here",
		88:  "answers a request for offsets beside transactions, which is not made here",
		106: "answers a request with ids of topics, which is not made here",
		133: "answers a share group's request, which is not made here",
	}
	for _, e := range kafkaErrors(t) {
		if _, ok := otherwise[e.Code]; !ok && (remedyForCode(kafka.Error(e.Code)) != stop) != e.Retriable {
			t.Errorf("%d %s: tried again: %v; Kafka's client: %v", e.Code, e.Message, !e.Retriable, e.Retriable)
		}
	}
}

// The errors upon which Kafka's client asks for metadata anew (its InvalidMetadataException).
func TestErrorsThatAskForTheLeaderAnew(t *testing.T) {
	for _, code := range []int16{3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 100, 103} {
		if r := remedyForCode(kafka.Error(code)); r < refresh {
			t.Errorf("%v: remedy %d", kafka.Error(code), r)
		}
	}
	for _, code := range []kafka.Error{kafka.RequestTimedOut, kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend, kafka.ThrottlingQuotaExceeded} {
		if r := remedyForCode(code); r != retry {
			t.Errorf("%v: remedy %d: the leader has not changed", code, r)
		}
	}
}

// Every error that ends a request of this package says what to do about it.
func TestErrorsThatStopHaveAdvice(t *testing.T) {
	// What the brokers answer to Produce, Fetch, ListOffsets, DeleteRecords, CreateTopics, Metadata and members of groups.
	answers := []int16{2, 3, 10, 17, 18, 23, 24, 26, 29, 30, 31, 32, 33, 34, 35, 37, 38, 40, 42, 43, 44, 58, 76, 81, 87, 100}
	for _, code := range answers {
		err := judged(kafka.Error(code))
		if !errors.As(err, new(*BrokerError)) || strings.Contains(err.Error(), "see the broker's log") {
			t.Errorf("%v", err)
		}
	}
	for _, e := range kafkaErrors(t) {
		if remedyForCode(kafka.Error(e.Code)) == stop && !slices.Contains(answers, e.Code) && !strings.Contains(judged(kafka.Error(e.Code)).Error(), "see the broker's log") {
			t.Errorf("%d %s has advice and is not listed here", e.Code, e.Message)
		}
	}
}
