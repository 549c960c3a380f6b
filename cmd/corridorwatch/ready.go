package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"corridorwatch/internal/installation"
)

// frozenAfter is how far stage time may lie behind the wall clock before the installation counts as not ready.
const frozenAfter = 30 * time.Second

// ready tells whether the node does its work: broker and engine answer, every task has restored, and in wall time stage time moves.
func (n *node) ready(ctx context.Context) error {
	if err := n.answers(ctx, true); err != nil {
		return err
	}
	times, err := gauges(n.metrics, "corridorwatch_stage_time_seconds")
	if err != nil {
		return err
	}
	if want := len(stageNames()) * n.cfg.Partitions; len(times) < want {
		return fmt.Errorf("%d of %d tasks work; the others still restore", len(times), want)
	}
	if n.time != installation.Wall {
		return nil
	}
	return frozen(n.metrics)
}

// frozen tells of a task of this process whose stage time stands still, which in wall time nothing but a fault can cause.
func frozen(metrics *prometheus.Registry) error {
	times, err := gauges(metrics, "corridorwatch_stage_time_seconds")
	if err != nil {
		return err
	}
	for task, t := range times {
		if late := time.Since(time.UnixMilli(int64(t * 1000))); late > frozenAfter {
			return fmt.Errorf("stage time of %s stands still: %s behind the clock", task, late.Round(time.Second))
		}
	}
	return nil
}

// gauges reads one metric of every task.
func gauges(reg *prometheus.Registry, name string) (map[string]float64, error) {
	families, err := reg.Gather()
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			out[labels(m)] = m.GetGauge().GetValue()
		}
	}
	return out, nil
}

func labels(m *dto.Metric) string {
	s := ""
	for _, l := range m.GetLabel() {
		s += l.GetValue() + "/"
	}
	return s[:max(0, len(s)-1)]
}
