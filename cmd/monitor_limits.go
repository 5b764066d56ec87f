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
	flags.Int64Var(&l.warn, "warn", 0, "with --once: exit status 1 when a queue holds more `sets`; default: the plugin's setting notify_queue_threshold_single_queue")
	flags.Int64Var(&l.crit, "crit", 0, "with --once: exit status 2 when a queue holds more `sets`; default: never")
	flags.DurationVar(&l.warnAge, "warn-age", 0, "with --once: exit status 1 when a queue holds a set that is older than this `time`, such as 10m; default: never")
	flags.DurationVar(&l.critAge, "crit-age", 0, "with --once: exit status 2 when a queue holds a set that is older than this `time`, such as 1h; default: never")
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
	v := verdict{exit: statusDone}
	for _, q := range s.Queues {
		l.judgeQueue(&v, q.ID, q.Sets, q.Oldest)
	}
	for _, o := range s.Orphans {
		l.judgeQueue(&v, o.ID, o.Sets, o.Oldest)
	}
	v.Status = []string{"ok", "warning", "critical"}[v.exit]
	return v
}

func (l limits) judgeQueue(v *verdict, id int, sets int64, oldest *float64) {
	for _, limit := range []struct {
		status int
		sets   int64
		age    time.Duration
	}{{statusCritical, l.crit, l.critAge}, {statusWarning, l.warn, l.warnAge}} {
		var reasons []string
		if limit.sets > 0 && sets > limit.sets {
			reasons = append(reasons, fmt.Sprintf("queue %d holds %s, more than %s", id, terminal.Count(sets, "request set"), terminal.Number(limit.sets)))
		}
		if limit.age > 0 && oldest != nil && *oldest > limit.age.Seconds() {
			reasons = append(reasons, fmt.Sprintf("the oldest request set of queue %d has waited for %s, more than %s", id, age(oldest), terminal.Span(limit.age)))
		}
		if len(reasons) > 0 {
			v.exit, v.Reasons = max(v.exit, limit.status), append(v.Reasons, reasons...)
			return
		}
	}
}

// line is the first line of monitor --once.
func (v verdict) line(s *snapshot) string {
	if v.exit == statusDone {
		return fmt.Sprintf("OK: %s in %s%s", terminal.Count(s.Total, "request set"), terminal.Count(len(s.Queues), "queue"), oldestOf(s))
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
	monitor := slices.ContainsFunc(args, func(arg string) bool { return strings.TrimPrefix(arg, consolePrefix) == "monitor" })
	return monitor && (slices.Contains(args, "--once") || slices.Contains(args, "--once=true"))
}

// checkStatus turns the status of a failure into Nagios' for "unknown": 1 and 2 would mean that the queues are full.
func checkStatus(args []string, exit *exitError) int {
	if exit.err != nil && isCheck(args) {
		return statusUnknown
	}
	return exit.status
}
