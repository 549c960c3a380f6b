package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"corridorwatch/ingest"
	"corridorwatch/internal/installation"
	"corridorwatch/schemas/normal"
)

// feeds are what brings events and time into an installation, and shows it: the HTTP server, and in wall time the clock.
func (m *member) feeds(ready func(context.Context) error) ([]job, *server, error) {
	queue := ingest.NewQueue(ingest.NewWriter(m.log, m.cfg.Prefix, m.cfg.Partitions))
	routes, shown, err := m.show(ready)
	if err != nil {
		return nil, nil, err
	}
	http, err := m.front(queue, routes, ready)
	if err != nil {
		return nil, nil, err
	}
	feeds := []job{{"intake over HTTP", queue.Run}, shown, {"http", http.run}}
	if m.time == installation.Wall {
		clock := &ingest.Clock{Writer: ingest.NewWriter(m.log, m.cfg.Prefix, m.cfg.Partitions)}
		feeds = append(feeds, job{"clock", clock.Run})
	}
	return feeds, http, nil
}

// front makes the HTTP server that takes events, beside other routes.
func (m *member) front(queue *ingest.Queue, routes map[string]http.Handler, ready func(context.Context) error) (*server, error) {
	events := ingest.HTTPConfig{Queue: queue, Form: normal.New(m.cat)}
	if m.time == installation.Wall {
		events.FutureLimit = 5 * time.Minute
	}
	if m.cfg.TokensFile != "" {
		tokens, err := ingest.LoadTokens(m.cfg.TokensFile)
		if err != nil {
			return nil, err
		}
		events.Tokens = tokens
	} else if !loopback(m.cfg.HTTPListen) {
		return nil, fmt.Errorf("CORRIDORWATCH_HTTP_LISTEN=%s is not a loopback address: set CORRIDORWATCH_TOKENS_FILE too", m.cfg.HTTPListen)
	}
	routes["POST /v1/events"] = ingest.NewHTTP(events)
	return newServer(m.cfg.HTTPListen, m.metrics, ready, routes)
}
