package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// ServeConfig says what the engine's own process loads and serves.
type ServeConfig struct {
	Lib     string // path of libchdb.so, as Locate finds it
	DataDir string // directory of the databases; it is created if it is not there. One engine at a time may use it. A config.xml in it is read.
	Listen  string // host:port on a loopback address; port 0 takes a free one
}

// patience is how long statements under way may go on when the engine is told to stop.
const patience = 15 * time.Second

// Serve runs the engine in this process and serves ClickHouse's HTTP interface, until ctx ends, SIGTERM arrives or standard input
// closes (the parent holds its other end, so it closes even when the parent is killed). The first line on standard output is the
// address. Statements under way are given time, then the engine is shut down in good order. A process can serve once.
func Serve(ctx context.Context, cfg ServeConfig) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer stop()
	listener, err := listenLoopback(cfg.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	if err := os.MkdirAll(cfg.DataDir, 0o755); err != nil {
		return fmt.Errorf("directory of the ClickHouse engine: %w", err)
	}
	lib, err := open(cfg.Lib)
	if err != nil {
		return err
	}
	// This connection keeps the engine running between requests. The engine's own log is off: on a terminal, each insert stream
	// would leave a line there ("current_thread contains invalid address") that means nothing. Errors come with the answers.
	args := []string{"--path=" + cfg.DataDir, "--logger.console=false"}
	if settings := filepath.Join(cfg.DataDir, "config.xml"); fileExists(settings) {
		args = append(args, "--config-file="+settings)
	}
	anchor, err := lib.dial(args...)
	if err != nil {
		return fmt.Errorf("open %s with the ClickHouse engine: %w", cfg.DataDir, err)
	}
	defer anchor.close()
	zone, _, err := anchor.exec("SELECT timezone()", "TSVRaw", nil)
	if err != nil {
		return fmt.Errorf("ask the ClickHouse engine for its time zone: %w", err)
	}
	h := &handler{lib: lib, path: cfg.DataDir, timezone: strings.TrimSpace(string(zone))}
	if _, err := fmt.Println(listener.Addr()); err != nil {
		return fmt.Errorf("tell the address of the ClickHouse engine: %w", err)
	}
	return serveUntil(endOfInput(ctx), listener, h.routes())
}

// serveUntil serves until ctx ends, and then waits for the requests under way.
func serveUntil(ctx context.Context, listener net.Listener, routes http.Handler) error {
	server := &http.Server{Handler: routes, ReadHeaderTimeout: 30 * time.Second}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the ClickHouse engine: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("wait for the statements under way: %w", err)
	}
	return nil
}

func fileExists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// endOfInput ends when standard input does. The goroutine that reads it ends with the process.
func endOfInput(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, bufio.NewReader(os.Stdin))
		cancel()
	}()
	return ctx
}

func listenLoopback(listen string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, fmt.Errorf("address of the ClickHouse engine: %w", err)
	}
	host = either(host, "127.0.0.1")
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("address of the ClickHouse engine: %s is not a loopback address; the engine asks nobody for a password, so it serves this machine only", host)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("listen for the ClickHouse engine: %w", err)
	}
	return l, nil
}
