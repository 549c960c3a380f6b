// Package kafkalog reads and appends partitions of Kafka in whole record batches.
//
// Kafka moves batches, not messages: a producer packs records into a batch, the broker stores these bytes and hands the same
// bytes to every consumer. A client that works batch by batch does a few allocations per batch and none per record, and it sees
// what the log really holds: where a batch begins, its checksum, and which offsets are gone. This package does that on
// kafka-go's transport, which gives connections, TLS and SASL:
//
//	Appender.Append ─► open batch ─► sealed batches ─► Flush: produce, acks=all ─► broker ─► fetch ─► Reader.Next ─► Batch
//
// Reading: the answer to one fetch lies in one buffer, the checksum of each batch is compared, and keys and values are slices of
// that buffer. They are valid until the next call of Next. Offsets that hold nothing for a reader (control batches, aborted
// transactions, records compacted away) are stepped over, so that Batch.Next always arrives at the end of the log.
//
// Appending: batches to one partition are sent one at a time, and the same bytes again until they are acknowledged by all in-sync
// replicas. An acknowledgement can be lost after the work was done; then a batch lies in the log twice, in order, and perhaps
// again a little later if a connection was slow to die. Nothing is lost or half written. Readers that need each record once tell
// repetitions by a sequence number within the record.
//
// What the broker answers is judged by its meaning (see BrokerError): some errors pass, some pass once the partition's new leader
// is found, and the rest are returned with what to do about them.
package kafkalog

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/sasl"
)

// Config says how to reach the brokers.
type Config struct {
	Brokers  []string       // host:port of one or more brokers; the others are found through them
	TLS      *tls.Config    // nil: no TLS
	SASL     sasl.Mechanism // nil: no authentication
	ClientID string         // shown in the brokers' logs and quotas
	Log      *slog.Logger   // what does not go on, and each retry at debug level; nil: slog.Default()
	// Dial opens a connection to a broker; nil: TCP.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client holds the connections to one cluster. It is safe for concurrent use and meant to be shared: each request in flight holds
// one connection, which then serves the next.
type Client struct {
	clientID  string
	log       *slog.Logger
	brokers   []string
	addr      net.Addr
	transport *kafka.Transport
	leaders   leaders
	answers   sync.Pool // *answer: buffers of fetches
	batches   sync.Pool // *[]byte: buffers of appenders
	requests  atomic.Int32
	closed    atomic.Bool
	trouble   trouble
}

// errClosed is returned by every call after Close.
var errClosed = errors.New("kafka client is closed")

// New makes a client. It does no I/O; Ping tells whether the brokers can be reached.
func New(cfg Config) *Client {
	log := cfg.Log
	if log == nil {
		log = slog.Default()
	}
	return &Client{
		clientID: cfg.ClientID,
		log:      log,
		brokers:  cfg.Brokers,
		addr:     kafka.TCP(cfg.Brokers...),
		leaders:  newLeaders(),
		transport: &kafka.Transport{
			Dial:        cfg.Dial,
			ClientID:    cfg.ClientID,
			TLS:         cfg.TLS,
			SASL:        cfg.SASL,
			DialTimeout: dialTimeout,
			MetadataTTL: 2 * time.Second,
			// None: the transport keeps the list of brokers, the client the leaders of the partitions it uses.
			MetadataTopics: []string{},
		},
	}
}

// Close closes idle connections at once and the others when their request ends. Later calls return an error.
func (c *Client) Close() error {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
	return nil
}

// Ping asks any broker for the versions it speaks. It does not retry.
func (c *Client) Ping(ctx context.Context) error {
	res, err := c.call(ctx, anyBroker, &apiversions.Request{})
	if err == nil {
		err = codeError(res.(*apiversions.Response).ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("ping kafka at %s: %w", c.addr, judged(err))
	}
	return nil
}
