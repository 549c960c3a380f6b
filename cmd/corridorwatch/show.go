package main

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"corridorwatch/processors/live"
)

// show makes what people and programs read over HTTP: the page, the API, and the stream of what is now with the job that feeds it.
func (m *member) show(ready func(context.Context) error) (map[string]http.Handler, job, error) {
	readers := &live.Readers{Open: loopback(m.cfg.HTTPListen), Header: m.cfg.ReadersHeader}
	if m.cfg.ReadersFile != "" {
		if err := readers.LoadTokens(m.cfg.ReadersFile); err != nil {
			return nil, job{}, err
		}
	}
	readers.Open = readers.Open && m.cfg.ReadersFile == "" && m.cfg.ReadersHeader == ""
	ask := m.cfg.reader()
	poll := live.NewPoll(ask)
	stream := &live.Stream{Board: poll.Board, Views: live.Views(), Beat: func() any { return poll.State() }, Watch: poll.Watch}
	stream.Register(m.metrics)
	api := readers.Guard(&live.API{Ask: ask})
	page, linked := readers.Guard(live.Page()), readers.Guard(live.Linked())
	return map[string]http.Handler{
		"GET /{$}": page, "GET /assets/": page, "GET /icon.svg": page, "GET /alerts": linked, "GET /alerts/": linked,
		"GET /api/v1/{$}": api, "GET /api/v1/{view}": api, "GET /api/v1/stream": readers.Guard(stream),
		"GET /api/v1/pipeline": readers.Guard(live.ServePipeline(m.pipeline(ready))), "GET /api/v1/report": readers.Guard(ask.ServeReport()),
	}, job{"what is shown", poll.Run}, nil
}

// reader asks the installation's ClickHouse.
func (c config) reader() live.Ask {
	return func(ctx context.Context, sql, format string, params url.Values) (io.ReadCloser, error) {
		res, err := c.ask(ctx, sql, format, params)
		if err != nil {
			return nil, err
		}
		return res.Body, nil
	}
}
