package sink

import (
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one sink.
type metrics struct {
	rows      *prometheus.CounterVec
	inserts   *prometheus.CounterVec
	took      *prometheus.HistogramVec
	lag       *prometheus.GaugeVec
	storedLag *prometheus.GaugeVec
	stopped   *prometheus.GaugeVec
	retries   *prometheus.CounterVec
	lastError prometheus.Gauge
	lastGood  prometheus.Gauge
	time      prometheus.Gauge
}

// newMetrics registers the metrics; without a registerer they are counted and never seen.
func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		reg = prometheus.NewRegistry()
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "corridorwatch_sink_" + name, Help: help}, labels)
		reg.MustRegister(c)
		return c
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "corridorwatch_sink_" + name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	m := &metrics{
		rows:    counter("rows_total", "Rows inserted into ClickHouse.", "table"),
		inserts: counter("inserts_total", "Inserts into ClickHouse.", "table"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "corridorwatch_sink_insert_seconds", Help: "How long an insert took, retries included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}, []string{"table"}),
		lag:       gauge("consumer_lag_records", "Records of a topic partition not read yet.", "topic", "partition"),
		storedLag: gauge("stored_lag_records", "Records of a topic partition not stored yet, when something of it was stored last.", "topic", "partition"),
		stopped:   gauge("partition_stopped", "1: the partition stopped because of an error that people must mend; the log says which.", "topic", "partition"),
		retries:   counter("retries_total", "Attempts that ClickHouse did not take and that were made again, by its error code.", "code"),
		lastError: gauge("last_error_timestamp_seconds", "When ClickHouse last did not take something, seconds since 1970; 0: never.").WithLabelValues(),
		lastGood:  gauge("last_success_timestamp_seconds", "When ClickHouse last took something, seconds since 1970; 0: never.").WithLabelValues(),
		time:      gauge("time_seconds", "Lowest mark that has passed the sink since it began, seconds since 1970.").WithLabelValues(),
	}
	reg.MustRegister(m.took)
	for k := range kinds { // so that a table into which nothing comes is told from one that nobody serves
		for _, table := range newSheet(k).into {
			m.rows.WithLabelValues(table)
		}
	}
	return m
}

func (m *metrics) inserted(table string, rows int, took time.Duration) {
	m.rows.WithLabelValues(table).Add(float64(rows))
	m.inserts.WithLabelValues(table).Inc()
	m.took.WithLabelValues(table).Observe(took.Seconds())
}

func (m *metrics) lagging(topic string, partition int, records int64) {
	m.lag.WithLabelValues(topic, strconv.Itoa(partition)).Set(float64(records))
}

func (m *metrics) passed(marks map[markKey]int64) {
	if len(marks) == 0 {
		return
	}
	lowest := int64(math.MaxInt64)
	for _, mark := range marks {
		lowest = min(lowest, mark)
	}
	m.time.Set(float64(lowest) / 1000)
}

func (m *metrics) refused(code string) {
	m.retries.WithLabelValues(code).Inc()
	m.lastError.SetToCurrentTime()
}

func (m *metrics) succeeded() { m.lastGood.SetToCurrentTime() }

func (m *metrics) stored(at place, e end) {
	m.storedLag.WithLabelValues(at.topic, strconv.Itoa(at.partition)).Set(float64(max(0, e.high-e.next)))
}

func (m *metrics) halted(at place, yes bool) {
	m.stopped.WithLabelValues(at.topic, strconv.Itoa(at.partition)).Set(float64(bit(yes)))
}

// released forgets partitions that this process no longer has.
func (m *metrics) released(places []place) {
	for _, at := range places {
		for _, g := range []*prometheus.GaugeVec{m.lag, m.storedLag, m.stopped} {
			g.DeleteLabelValues(at.topic, strconv.Itoa(at.partition))
		}
	}
}
