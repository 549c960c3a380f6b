package stream

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"corridorwatch/schemas/pb"
)

// Metrics of the tasks of one process. A nil *Metrics counts nothing.
type Metrics struct {
	records    *prometheus.CounterVec
	lag        *prometheus.GaugeVec
	stageTime  *prometheus.GaugeVec
	ckptTime   *prometheus.GaugeVec
	ckptTook   *prometheus.GaugeVec
	stateBytes *prometheus.GaugeVec
}

// NewMetrics registers the metrics of the stages.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"stage", "task"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	m := &Metrics{
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "corridorwatch_stage_records_total", Help: "Records read from the stage's input."}, labels),
		lag:        gauge("corridorwatch_stage_consumer_lag_records", "Records of the input not folded yet."),
		stageTime:  gauge("corridorwatch_stage_time_seconds", "Stage time, seconds since 1970."),
		ckptTime:   gauge("corridorwatch_stage_checkpoint_timestamp_seconds", "When the last checkpoint was written, seconds since 1970."),
		ckptTook:   gauge("corridorwatch_stage_checkpoint_duration_seconds", "How long the last checkpoint took."),
		stateBytes: gauge("corridorwatch_stage_checkpoint_bytes", "Size of the last checkpoint."),
	}
	reg.MustRegister(m.records)
	return m
}

func (m *Metrics) folded(stage pb.Stage, task, records int, lag, now int64) {
	if m == nil {
		return
	}
	s, t := stageName(stage), strconv.Itoa(task)
	m.records.WithLabelValues(s, t).Add(float64(records))
	m.lag.WithLabelValues(s, t).Set(float64(lag))
	m.stageTime.WithLabelValues(s, t).Set(float64(now) / 1000)
}

func (m *Metrics) checkpointed(stage pb.Stage, task, size int, took time.Duration) {
	if m == nil {
		return
	}
	s, t := stageName(stage), strconv.Itoa(task)
	m.ckptTime.WithLabelValues(s, t).Set(float64(time.Now().UnixMilli()) / 1000)
	m.ckptTook.WithLabelValues(s, t).Set(took.Seconds())
	m.stateBytes.WithLabelValues(s, t).Set(float64(size))
}
