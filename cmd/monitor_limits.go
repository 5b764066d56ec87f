package cmd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// Exit statuses of monitor --once, beside statusDone: those that Nagios gave to monitoring systems.
const (
	statusWarning  = 1
	statusCritical = 2
	statusUnknown  = 3
)

// limits are the thresholds of monitor --once; 0: none.
type limits struct {
	warn, crit       int64
	warnAge, critAge time.Duration
}

func (l *limits) addFlags(flags *pflag.FlagSet) {
	flags.Int64Var(&l.warn, "warn", 0,
		"with --once: exit status 1 when a queue holds more `sets`; default: the plugin's setting "+
			"notify_queue_threshold_single_queue")
	flags.Int64Var(&l.crit, "crit", 0, "with --once: exit status 2 when a queue holds more `sets`; default: never")
	flags.DurationVar(&l.warnAge, "warn-age", 0,
		"with --once: exit status 1 when a queue holds a set that is older than this `time`, such as 10m; default: never")
	flags.DurationVar(&l.critAge, "crit-age", 0,
		"with --once: exit status 2 when a queue holds a set that is older than this `time`, such as 1h; default: never")
}

// given reports whether one of the flags was used.
func (l *limits) given(flags *pflag.FlagSet) bool {
	return slices.ContainsFunc([]string{"warn", "crit", "warn-age", "crit-age"}, flags.Changed)
}

func (l *limits) validate() error {
	if l.warn < 0 || l.crit < 0 || l.crit > 0 && l.crit < l.warn {
		return usage("--warn %d --crit %d: want to be positive, --crit the larger one", l.warn, l.crit)
	}
	if l.warnAge < 0 || l.critAge < 0 || l.critAge > 0 && l.critAge < l.warnAge {
		return usage("--warn-age %s --crit-age %s: want to be positive, --crit-age the longer one", l.warnAge, l.critAge)
	}
	return nil
}

// orElse takes the threshold that was not given from the plugin's settings.
func (l limits) orElse(s matomo.QueueSettings) limits {
	l.warn = cmp.Or(l.warn, int64(s.NotifyThreshold))
	return l
}

// verdict is what monitor --once thinks of the queues.
type verdict struct {
	exit    int      // status of the program
	Status  string   `json:"status,omitempty"`
	Reasons []string `json:"reasons,omitempty"` // what exceeds a threshold
}

// judge compares each queue with the thresholds.
func (l limits) judge(s *snapshot) verdict {
	sets := excess{warn: float64(l.warn), crit: float64(l.crit)}
	ages := excess{warn: l.warnAge.Seconds(), crit: l.critAge.Seconds()}
	look := func(id int, n int64, oldest *float64) {
		sets.look(id, float64(n))
		if oldest != nil {
			ages.look(id, *oldest)
		}
	}
	for _, q := range s.Queues {
		look(q.ID, q.Sets, q.Oldest)
	}
	for _, o := range s.Orphans {
		look(o.ID, o.Sets, o.Oldest)
	}
	v := verdict{exit: max(sets.level, ages.level)}
	v.Status = []string{"ok", "warning", "critical"}[v.exit]
	v.Reasons = append(setsReason(sets), agesReason(ages)...)
	return v
}

// excess is where the two thresholds of a measure are exceeded. Once the higher one is, only that counts.
type excess struct {
	warn, crit float64
	level      int // exit status
	queues     int // that exceed the threshold of the level
	worst      int // queue
	most       float64
}

func (e *excess) look(id int, value float64) {
	level := statusDone
	switch {
	case e.crit > 0 && value > e.crit:
		level = statusCritical
	case e.warn > 0 && value > e.warn:
		level = statusWarning
	}
	if level == statusDone || level < e.level {
		return
	}
	if level > e.level {
		e.level, e.queues, e.most = level, 0, 0
	}
	e.queues++
	if value > e.most {
		e.worst, e.most = id, value
	}
}

// threshold is the one that is exceeded.
func (e *excess) threshold() float64 {
	if e.level == statusCritical {
		return e.crit
	}
	return e.warn
}

func setsReason(e excess) []string {
	most, threshold := int64(e.most), terminal.Number(int64(e.threshold()))
	switch e.queues {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("queue %d holds %s, more than %s",
			e.worst, terminal.Count(most, "request set"), threshold)}
	}
	return []string{fmt.Sprintf("%d queues hold more than %s request sets, queue %d the most: %s",
		e.queues, threshold, e.worst, terminal.Number(most))}
}

func agesReason(e excess) []string {
	most, threshold := span(e.most), span(e.threshold())
	switch e.queues {
	case 0:
		return nil
	case 1:
		return []string{fmt.Sprintf("the oldest request set of queue %d has waited for %s, more than %s",
			e.worst, most, threshold)}
	}
	return []string{fmt.Sprintf("request sets of %d queues have waited for more than %s, the oldest of queue %d for %s",
		e.queues, threshold, e.worst, most)}
}

// line is the first line of monitor --once.
func (v verdict) line(s *snapshot) string {
	if v.exit == statusDone {
		return fmt.Sprintf("OK: %s in %s%s", terminal.Count(s.Total, "request set"), terminal.Count(len(s.Queues), "queue"),
			oldestOf(s))
	}
	return strings.ToUpper(v.Status) + ": " + strings.Join(v.Reasons, "; ")
}

func oldestOf(s *snapshot) string {
	if oldest := s.oldest(); oldest != nil {
		return ", the oldest has waited for " + age(oldest)
	}
	return ""
}

// isCheck reports whether a command line, which may be wrong, is that of a monitoring system: monitor --once.
func isCheck(args []string) bool {
	monitor := slices.ContainsFunc(args,
		func(arg string) bool { return strings.TrimPrefix(arg, consolePrefix) == "monitor" })
	return monitor && (slices.Contains(args, "--once") || slices.Contains(args, "--once=true"))
}

// checkStatus turns the status of a failure into Nagios' for "unknown": 1 and 2 would mean that the queues are full.
func checkStatus(args []string, exit *exitError) int {
	if exit.err != nil && isCheck(args) {
		return statusUnknown
	}
	return exit.status
}
