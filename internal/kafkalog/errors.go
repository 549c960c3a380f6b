package kafkalog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
)

// BrokerError is an error that trying again does not mend, with what to do about it.
type BrokerError struct {
	Cause  error // often a kafka.Error: errors.Is(err, kafka.TopicAuthorizationFailed)
	Advice string
}

func (e *BrokerError) Error() string { return e.Cause.Error() + ": " + e.Advice }

// Unwrap gives errors.Is and errors.As the cause.
func (e *BrokerError) Unwrap() error { return e.Cause }

// RangeError says that an offset is not in the log: it was deleted, or lies beyond the end.
type RangeError struct {
	Topic      string
	Partition  int
	Offset     int64 // what was asked for
	Start, End int64 // what the log holds: [Start, End)
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("offset %d of %s/%d is outside of the log, which holds [%d, %d)", e.Offset, e.Topic, e.Partition, e.Start, e.End)
}

// CorruptError says that bytes of the log are not a sound record batch.
type CorruptError struct {
	Topic     string
	Partition int
	Offset    int64 // base offset of the batch, or where it should begin
	Reason    string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("record batch at %s/%d offset %d: %s: compare with another replica (kafka-dump-log) or skip it knowingly", e.Topic, e.Partition, e.Offset, e.Reason)
}

// remedy is what helps against an error.
type remedy int

const (
	stop    remedy = iota // nothing: return it
	retry                 // time
	refresh               // time and the new leader of the partition
	patient               // time, as refresh, but if it lasts for `patience` it is no passing thing
)

// remedyFor judges an error by its meaning. Errors that no broker sent (a cut connection, a timeout) may pass, and the leader may
// have moved; what TLS and SASL refuse will be refused again.
func remedyFor(err error) remedy {
	var code kafka.Error
	switch {
	case errors.As(err, &code):
		return remedyForCode(code)
	case errors.As(err, new(*BrokerError)), errors.As(err, new(*RangeError)), errors.As(err, new(*CorruptError)),
		errors.Is(err, errClosed), isCertificateError(err):
		return stop
	}
	return refresh
}

func isCertificateError(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(tls.RecordHeaderError)) || errors.As(err, new(tls.AlertError))
}

// inconsistentTopicID is an error that kafka-go does not name: the topic was deleted and made again.
const inconsistentTopicID kafka.Error = 103

// remedyForCode agrees with Kafka's own client about what may pass; errors_test.go compares.
func remedyForCode(code kafka.Error) remedy {
	switch code {
	case kafka.LeaderNotAvailable, kafka.NotLeaderForPartition, kafka.ReplicaNotAvailable, kafka.NetworkException,
		kafka.BrokerNotAvailable, kafka.NotController, kafka.KafkaStorageError, kafka.ListenerNotFound, kafka.FencedLeaderEpoch,
		kafka.UnknownLeaderEpoch, kafka.PreferredLeaderNotAvailable, kafka.EligibleLeadersNotAvailable:
		return refresh
	case kafka.RequestTimedOut, kafka.NotEnoughReplicas, kafka.NotEnoughReplicasAfterAppend, kafka.OffsetNotAvailable,
		kafka.ThrottlingQuotaExceeded, kafka.FetchSessionIDNotFound, kafka.InvalidFetchSessionEpoch,
		kafka.GroupLoadInProgress, kafka.GroupCoordinatorNotAvailable, kafka.NotCoordinatorForGroup:
		return retry
	case kafka.UnknownTopicOrPartition, kafka.UnknownTopicID, inconsistentTopicID, kafka.InvalidMessage, kafka.Unknown:
		return patient
	}
	return stop
}

// advice says what to do about an error that is returned.
func advice(err error) string {
	var code kafka.Error
	if !errors.As(err, &code) {
		if isCertificateError(err) {
			return "check that the brokers speak TLS on this port, and the certificate authority and host names of the client's TLS settings"
		}
		return ""
	}
	switch code {
	case kafka.TopicAuthorizationFailed:
		return "grant this client's user Read, Write and Describe on the topic (kafka-acls; 'topics plan' prints the commands)"
	case kafka.GroupAuthorizationFailed:
		return "grant this client's user Read on the consumer group (kafka-acls; 'topics plan' prints the commands)"
	case kafka.ClusterAuthorizationFailed:
		return "grant this client's user Create and Describe on the cluster, or create the topics by hand"
	case kafka.InvalidSessionTimeout:
		return "choose a session timeout that the brokers allow (group.min.session.timeout.ms, group.max.session.timeout.ms)"
	case kafka.InvalidGroupId, kafka.InconsistentGroupProtocol:
		return "another program uses a group of this name: choose another prefix"
	case kafka.GroupMaxSizeReached:
		return "run fewer processes, or raise group.max.size of the brokers"
	case kafka.SASLAuthenticationFailed:
		return "check user, password and mechanism"
	case kafka.UnsupportedSASLMechanism, kafka.IllegalSASLState:
		return "choose a SASL mechanism that the brokers have enabled"
	case kafka.MessageSizeTooLarge, kafka.RecordListTooLarge:
		return "raise max.message.bytes of the topic (or message.max.bytes of the brokers), or send smaller records"
	case kafka.UnknownTopicOrPartition, kafka.UnknownTopicID:
		return "create the topic, or check its name, prefix and number of partitions"
	case kafka.InvalidMessage, kafka.InvalidRecord:
		return "the broker refuses the records: a compacted topic wants a key in each"
	case kafka.InvalidTimestamp:
		return "the clocks of this machine and the broker differ by more than the topic allows (message.timestamp.*.max.ms)"
	case kafka.InvalidTopic:
		return "use letters, digits, '.', '_' and '-' in topic names and prefix, at most 249 in all"
	case kafka.InvalidReplicationFactor:
		return "the cluster has fewer brokers than replicas were asked for"
	case kafka.InvalidPartitionNumber, kafka.InvalidConfiguration, kafka.PolicyViolation:
		return "the cluster does not allow such a topic: change partitions or settings, or create it by hand"
	case kafka.UnsupportedVersion, kafka.UnsupportedForMessageFormat, kafka.UnsupportedCompressionType:
		return "the broker is too old: 2.4 or later is needed"
	case kafka.InvalidRequest:
		return "the broker could not read the request: something between may not speak Kafka"
	case kafka.Unknown:
		return "the broker's own log says why"
	}
	return "see the broker's log"
}

// judged makes an error ready to return: with advice if there is any.
func judged(err error) error {
	if errors.As(err, new(*BrokerError)) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if a := advice(err); a != "" {
		return &BrokerError{Cause: err, Advice: a}
	}
	return err
}

// codeError makes an error of a code in a broker's answer, nil of 0.
func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}
