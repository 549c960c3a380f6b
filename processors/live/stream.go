package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Stream serves a board as server-sent events (HTML Living Standard, section 9.2).
//
//	event: snapshot    all rows of the views: forget what was there
//	event: delta       rows that changed, null for those that are no more
//	event: state       what Beat says, at least every BeatEvery: a client that hears nothing for longer is cut off
//
// The id of each is where a client goes on from after it was cut off: browsers send it back as Last-Event-ID, others may give it as last=.
type Stream struct {
	Board *Board
	Views []string // that a client may ask for, all of them unless it names some: views=trains,borders
	// Beat tells how fresh what is shown is; the result is sent as JSON.
	Beat func() any
	// Watch, if set, is told of each client, and by what it returns when it has gone.
	Watch func(context.Context) (leave func())
	// Coalesce is for how long changes are gathered before a client is told of them; 250 ms unless set.
	Coalesce time.Duration

	clients prometheus.Gauge
}

// BeatEvery is how often a client hears from the server even if nothing changes.
const BeatEvery = 10 * time.Second

// patience is for how long a client may leave what was sent to it unread; then it is cut off, and begins anew where it was.
const patience = 30 * time.Second

// Register adds the stream's metrics.
func (s *Stream) Register(reg prometheus.Registerer) {
	s.clients = prometheus.NewGauge(prometheus.GaugeOpts{Name: "corridorwatch_live_clients", Help: "Clients that watch the stream."})
	reg.MustRegister(s.clients)
}

func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	views, err := s.wanted(r.FormValue("views"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.FormValue("last")
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx, which would hold it back
	if r.Method == http.MethodHead {
		return // nobody reads what would follow, and nothing would tell when they have gone
	}
	if s.clients != nil {
		s.clients.Inc()
		defer s.clients.Dec()
	}
	if s.Watch != nil {
		defer s.Watch(r.Context())()
	}
	c := &client{Stream: s, views: views, to: http.NewResponseController(w), w: w}
	name, rev, _ := strings.Cut(last, "-")
	c.rev, err = strconv.ParseUint(rev, 10, 64)
	if err == nil {
		c.name = name
	}
	c.run(r.Context()) // an error is that the client is gone
}

// wanted are the views of a list.
func (s *Stream) wanted(text string) ([]string, error) {
	if text == "" {
		return s.Views, nil
	}
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if !slices.Contains(s.Views, name) {
			return nil, fmt.Errorf("there is no view %q; there are %s", name, strings.Join(s.Views, ", "))
		}
		out = append(out, name)
	}
	return out, nil
}

// client is one that watches.
type client struct {
	*Stream
	views []string
	w     http.ResponseWriter
	to    *http.ResponseController
	name  string // of the board it knows
	rev   uint64 // up to which it knows it
}

func (c *client) run(ctx context.Context) error {
	wait := c.Coalesce
	if wait == 0 {
		wait = 250 * time.Millisecond
	}
	ticks := time.NewTicker(BeatEvery)
	defer ticks.Stop()
	if err := c.beat(); err != nil {
		return err
	}
	for {
		n, more, err := c.Board.news(c.name, c.rev, c.views)
		if err != nil {
			return err
		}
		c.name, c.rev = c.Board.name, n.rev
		if n.event != "" {
			if err := c.send(n.event, n.data); err != nil {
				return err
			}
		}
		for quiet := true; quiet; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-more:
				quiet = false
			case <-ticks.C:
				if err := c.beat(); err != nil {
					return err
				}
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// beat tells how fresh it is.
func (c *client) beat() error {
	text, err := json.Marshal(c.Beat())
	if err != nil {
		return err
	}
	return c.send("state", text)
}

// send writes one event, whose id is where the client is then.
func (c *client) send(event string, data []byte) error {
	err := c.to.SetWriteDeadline(time.Now().Add(patience))
	if err != nil && !errors.Is(err, http.ErrNotSupported) && !errors.Is(err, os.ErrNoDeadline) {
		return err
	}
	id := ""
	if c.name != "" {
		id = fmt.Sprintf("id: %s-%d\n", c.name, c.rev)
	}
	// What is long is not copied: it is of all clients.
	for _, part := range [][]byte{fmt.Appendf(nil, "%sevent: %s\ndata: ", id, event), data, []byte("\n\n")} {
		if _, err := c.w.Write(part); err != nil {
			return err
		}
	}
	return c.to.Flush()
}
