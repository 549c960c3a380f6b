package stream

import (
	"errors"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"corridorwatch/schemas"
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
	restoring  *prometheus.GaugeVec
	halted     *prometheus.GaugeVec
	gaps       *prometheus.CounterVec
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
	m.restoring = gauge("corridorwatch_stage_restore_duration_seconds", "How long it took to take the task up.")
	m.halted = gauge("corridorwatch_stage_stopped", "1 while a task stands still because of an error that must be mended; the log says which.")
	m.gaps = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "corridorwatch_stage_gaps_total", Help: "Sequence gaps found in the stage's input."}, labels)
	reg.MustRegister(m.records, m.gaps)
	return m
}

func (m *Metrics) folded(stage pb.Stage, task, records int, lag, now int64) {
	if m == nil {
		return
	}
	s, t := schemas.StageName(stage), strconv.Itoa(task)
	m.records.WithLabelValues(s, t).Add(float64(records))
	m.lag.WithLabelValues(s, t).Set(float64(lag))
	m.stageTime.WithLabelValues(s, t).Set(float64(now) / 1000)
}

func (m *Metrics) checkpointed(stage pb.Stage, task, size int, took time.Duration) {
	if m == nil {
		return
	}
	s, t := schemas.StageName(stage), strconv.Itoa(task)
	m.ckptTime.WithLabelValues(s, t).Set(float64(time.Now().UnixMilli()) / 1000)
	m.ckptTook.WithLabelValues(s, t).Set(took.Seconds())
	m.stateBytes.WithLabelValues(s, t).Set(float64(size))
}

// restored sets the stage time, too: a task whose input is quiet folds nothing for a while, and works all the same.
func (m *Metrics) restored(stage pb.Stage, task int, took time.Duration, now int64) {
	if m == nil {
		return
	}
	s, t := schemas.StageName(stage), strconv.Itoa(task)
	m.restoring.WithLabelValues(s, t).Set(took.Seconds())
	m.stageTime.WithLabelValues(s, t).Set(float64(now) / 1000)
	m.gaps.WithLabelValues(s, t) // 0 from the start: the first gap is an increase
}

func (m *Metrics) stopped(stage pb.Stage, task int, err error) {
	if m == nil {
		return
	}
	s, t := schemas.StageName(stage), strconv.Itoa(task)
	if errors.As(err, new(*gap)) {
		m.gaps.WithLabelValues(s, t).Inc()
	}
	if err != nil {
		m.halted.WithLabelValues(s, t).Set(1)
	} else {
		m.halted.DeleteLabelValues(s, t)
	}
}

// released forgets a task that another process has now.
func (m *Metrics) released(stage pb.Stage, task int) {
	if m == nil {
		return
	}
	s, t := schemas.StageName(stage), strconv.Itoa(task)
	for _, g := range []*prometheus.GaugeVec{m.lag, m.stageTime, m.ckptTime, m.ckptTook, m.stateBytes, m.restoring, m.halted} {
		g.DeleteLabelValues(s, t)
	}
}
