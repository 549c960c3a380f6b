package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"corridorwatch/processors/live"
)

// pipeline tells how far stages and sinks are, out of this process' metrics: where all of them run in it those of its own tasks, else
// those of the watch.
func (m *member) pipeline(ready func(context.Context) error) func(context.Context) (live.Pipeline, error) {
	return func(ctx context.Context) (live.Pipeline, error) {
		p := live.Pipeline{Time: m.time, Tasks: []live.Task{}, Lags: []live.Lag{}}
		if err := ready(ctx); err != nil {
			p.Problem = err.Error()
		}
		families, err := m.metrics.Gather()
		if err != nil {
			return p, fmt.Errorf("read metrics: %w", err)
		}
		lags := map[live.Lag]float64{} // by reader and topic
		for _, f := range families {
			for _, metric := range f.GetMetric() {
				value := metric.GetGauge().GetValue()
				switch f.GetName() {
				case "corridorwatch_stage_time_seconds", "corridorwatch_installation_stage_time_seconds":
					p.Tasks = append(p.Tasks, live.Task{Stage: label(metric, "stage"), Task: label(metric, "task"), StageTime: time.UnixMilli(int64(value * 1000)).UTC()})
				case "corridorwatch_stage_consumer_lag_records":
					lags[live.Lag{Reader: label(metric, "stage")}] += value
				case "corridorwatch_sink_consumer_lag_records":
					lags[live.Lag{Reader: "sink", Topic: label(metric, "topic")}] += value
				case "corridorwatch_installation_consumer_lag_records":
					lags[live.Lag{Reader: label(metric, "group"), Topic: label(metric, "topic")}] += value
				}
			}
		}
		for l, records := range lags {
			l.Records = records
			p.Lags = append(p.Lags, l)
		}
		slices.SortFunc(p.Lags, func(a, b live.Lag) int { return cmp.Or(cmp.Compare(a.Reader, b.Reader), cmp.Compare(a.Topic, b.Topic)) })
		return p, nil
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
