package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server answers /livez, /readyz, /metrics and whatever else was given to it.
type server struct {
	listener net.Listener
	http     *http.Server
	streams  context.CancelFunc // ends the answers that go on without end
}

// newServer listens at once, so that its address is known and a port in use is an error at the start.
func newServer(listen string, metrics *prometheus.Registry, ready func(context.Context) error, routes map[string]http.Handler) (*server, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP (CORRIDORWATCH_HTTP_LISTEN chooses another address): %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	if loopback(listen) {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	}
	for pattern, h := range routes {
		mux.Handle(pattern, h)
	}
	base, cancel := context.WithCancel(context.Background())
	return &server{listener: l, streams: cancel, http: &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return base },
	}}, nil
}

func (s *server) addr() string { return s.listener.Addr().String() }

// run serves until ctx ends, and lets requests under way finish.
func (s *server) run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	time.AfterFunc(time.Second, s.streams) // whoever watches without end does not keep it from ending
	err := s.http.Shutdown(last)
	s.streams()
	if e := <-done; !errors.Is(e, http.ErrServerClosed) {
		return e
	}
	return err
}

// loopback tells whether an address to listen on is reached from this machine alone.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
