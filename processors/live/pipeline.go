package live

import (
	"context"
	"net/http"
	"time"
)

// Pipeline is how far the installation's stages and sinks are. Who has the metrics fills it in.
type Pipeline struct {
	// Time is what the installation runs on: wall or data.
	Time string `json:"time"`
	// Problem is why the installation is not ready, in words; empty while it is.
	Problem string `json:"problem"`
	Tasks   []Task `json:"tasks"`
	Lags    []Lag  `json:"lags"`
}

// Task is a task of a stage, with the stage time it has reached.
type Task struct {
	Stage     string    `json:"stage"`
	Task      string    `json:"task"`
	StageTime time.Time `json:"stage_time"`
}

// Lag is how many records lie before a reader of a topic that it has not dealt with, over all partitions.
type Lag struct {
	Reader  string  `json:"reader"`
	Topic   string  `json:"topic"`
	Records float64 `json:"records"`
}

// ServePipeline answers with what look finds.
func ServePipeline(look func(context.Context) (Pipeline, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, err := look(r.Context())
		if err != nil {
			fail(w, http.StatusServiceUnavailable, err)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		answer(w, p)
	})
}
