package delay

import "time"

const (
	secondMS = int64(time.Second / time.Millisecond)
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// Settings are the thresholds of the stage: what a baseline rests on, and when each detector speaks. They are part of the stage's
// logic: another value is another version of it.
type Settings struct {
	// MinSamples is how many finished stays a baseline needs; with fewer there is no usual time, and alerts go by the catalogue's norm.
	MinSamples int
	// StepMS is the grid of stage time on which detectors look, so that they see the same at any speed of replay.
	StepMS int64

	Overdue    OverdueSettings
	Finished   FinishedSettings
	Silent     SilentSettings
	Shift      ShiftSettings
	Queue      QueueSettings
	Throughput ThroughputSettings
	Moving     MovingSettings
	Feed       FeedSettings
	Life       LifeSettings
}

// Window is how far back a baseline reaches: stays that ended in the 28 days before.
const windowMS = 28 * dayMS

// latenessMS is how long facts can still change by late events: what is older leaves the state.
const latenessMS = 72 * hourMS

// Defaults are the settings of an installation.
func Defaults() Settings {
	return Settings{
		MinSamples: 20,
		StepMS:     5 * minuteMS,
		Overdue:    defaultOverdue(),
		Finished:   defaultFinished(),
		Silent:     defaultSilent(),
		Shift:      defaultShift(),
		Queue:      defaultQueue(),
		Throughput: defaultThroughput(),
		Moving:     defaultMoving(),
		Feed:       defaultFeed(),
		Life:       defaultLife(),
	}
}
