package deliver

import "github.com/prometheus/client_golang/prometheus"

// Metrics of the delivery. A nil *Metrics counts nothing.
type Metrics struct {
	sentTotal, refusedTotal *prometheus.CounterVec
	failingNow              *prometheus.GaugeVec
}

// NewMetrics registers the metrics of the delivery.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	labels := []string{"channel"}
	m := &Metrics{
		sentTotal:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "corridorwatch_alerts_delivered_total", Help: "Versions of alerts that a channel's receiver has taken."}, labels),
		refusedTotal: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "corridorwatch_alerts_refused_total", Help: "Versions of alerts that a channel's receiver will never take; the log says why."}, labels),
		failingNow:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "corridorwatch_alerts_undelivered", Help: "1 while a channel has something that its receiver does not take."}, labels),
	}
	reg.MustRegister(m.sentTotal, m.refusedTotal, m.failingNow)
	return m
}

// begin makes the series of a channel: of one that begins with its first event no increase can be seen.
func (m *Metrics) begin(channel string) {
	if m != nil {
		m.sentTotal.WithLabelValues(channel)
		m.refusedTotal.WithLabelValues(channel)
		m.failingNow.WithLabelValues(channel)
	}
}

func (m *Metrics) sent(channel string) {
	if m != nil {
		m.sentTotal.WithLabelValues(channel).Inc()
	}
}

func (m *Metrics) refused(channel string) {
	if m != nil {
		m.refusedTotal.WithLabelValues(channel).Inc()
	}
}

func (m *Metrics) failing(channel string, yes bool) {
	if m == nil {
		return
	}
	value := 0.0
	if yes {
		value = 1
	}
	m.failingNow.WithLabelValues(channel).Set(value)
}
