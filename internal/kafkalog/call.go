package kafkalog

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

const (
	dialTimeout = 5 * time.Second
	// callTimeout bounds one request beside the time the broker itself may take.
	callTimeout = 10 * time.Second

	anyBroker     int32 = -1 // any of Config.Brokers
	theController int32 = -2 // the broker that creates topics
)

// route is the broker a request goes to; embedded in a request it makes kafka-go's transport obey.
type route int32

// Broker is asked by the transport before it takes a connection.
func (r route) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	if int32(r) == theController {
		return protocol.Broker{ID: cluster.Controller}, nil
	}
	return protocol.Broker{ID: int32(r)}, nil
}

// send makes one round trip. Its deadline is also the connection's, so that a broker that went silent is given up. When it returns
// the context's error, the request may still be in use by the connection and must not be touched again.
func (c *Client) send(ctx context.Context, req protocol.Message) error {
	if c.closed.Load() {
		return errClosed
	}
	_, err := c.transport.RoundTrip(ctx, c.addr, req)
	return err
}

// direct carries a request of kafka-go's protocol packages to the broker it is meant for, past the transport's cache of metadata
// and its routing.
type direct struct {
	route
	clientID string
	id       int32
	version  int16
	req, res protocol.Message
}

func (d *direct) ApiKey() protocol.ApiKey { return d.req.ApiKey() }

// Required tells the transport to call RawExchange, and learns the version the broker and kafka-go agree on.
func (d *direct) Required(versions map[protocol.ApiKey]int16) bool {
	d.version = versions[d.ApiKey()]
	return true
}

// RawExchange writes the request to a connection and reads its answer.
func (d *direct) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if err := protocol.WriteRequest(rw, d.version, d.id, d.clientID, d.req); err != nil {
		return nil, err
	}
	id, res, err := protocol.ReadResponse(rw, d.ApiKey(), d.version)
	if err != nil {
		return nil, err
	}
	if id != d.id {
		return nil, fmt.Errorf("answer %d to request %d", id, d.id)
	}
	d.res = res
	return d, nil
}

// call sends one request to one broker and returns its answer.
func (c *Client) call(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	d := &direct{route: route(broker), clientID: c.clientID, id: c.requests.Add(1), req: req}
	if err := c.send(ctx, d); err != nil {
		return nil, err
	}
	return d.res, nil
}
