package sink

import (
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics of one sink.
type metrics struct {
	rows    *prometheus.CounterVec
	inserts *prometheus.CounterVec
	took    *prometheus.HistogramVec
	lag     *prometheus.GaugeVec
	stopped *prometheus.GaugeVec
	retries prometheus.Counter
	time    prometheus.Gauge
}

// newMetrics registers the metrics; without a registerer they are counted and never seen.
func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "corridorwatch_sink_rows_total", Help: "Rows inserted into ClickHouse."}, []string{"table"}),
		inserts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "corridorwatch_sink_inserts_total", Help: "Inserts into ClickHouse."}, []string{"table"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "corridorwatch_sink_insert_seconds", Help: "How long an insert took, retries included.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 14)}, []string{"table"}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "corridorwatch_sink_consumer_lag_records", Help: "Records of a topic partition not read yet."}, []string{"topic", "partition"}),
		stopped: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "corridorwatch_sink_partition_stopped", Help: "1: the partition stopped because of an error that people must mend; the log says which."},
			[]string{"topic", "partition"}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "corridorwatch_sink_retries_total", Help: "Attempts that ClickHouse did not take and that were made again."}),
		time: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "corridorwatch_sink_time_seconds", Help: "Lowest mark that has passed the sink since it began, seconds since 1970."}),
	}
	if reg != nil {
		reg.MustRegister(m.rows, m.inserts, m.took, m.lag, m.stopped, m.retries, m.time)
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
	lowest := int64(math.MaxInt64)
	for _, mark := range marks {
		lowest = min(lowest, mark)
	}
	m.time.Set(float64(lowest) / 1000)
}

func (m *metrics) retried() { m.retries.Inc() }

func (m *metrics) halted(at place, yes bool) {
	m.stopped.WithLabelValues(at.topic, strconv.Itoa(at.partition)).Set(float64(bit(yes)))
}

// released forgets partitions that this process no longer has.
func (m *metrics) released(places []place) {
	for _, at := range places {
		m.lag.DeleteLabelValues(at.topic, strconv.Itoa(at.partition))
		m.stopped.DeleteLabelValues(at.topic, strconv.Itoa(at.partition))
	}
}
