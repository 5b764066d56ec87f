package history

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// Keep is how long the numbers of a day are kept.
const Keep = 35 * 24 * time.Hour

const (
	// writeEvery is the time between two writes while there is work, idleEvery while there is none: then only the time
	// of the last look changes.
	writeEvery = 5 * time.Second
	idleEvery  = time.Minute
	// patience bounds a write. Statistics are not worth to wait for.
	patience = 2 * time.Second
	// maxReasons bounds the different reasons of a Recorder, maxReason the length of one, maxError that of an error.
	maxReasons = 100
	maxReason  = 60
	maxError   = 200
)

// otherReasons stands for the reasons beyond maxReasons.
const otherReasons = "other reasons"

// Recorder collects what the workers of a process do and writes it beside the queues now and then. A failure to write
// is logged once and ends nothing. It may be used by several goroutines.
type Recorder struct {
	tallies queue.Tallies
	clock   func() time.Time
	host    string
	log     *slog.Logger

	mu      sync.Mutex
	days    map[string]*queue.Tally // what is not written yet
	work    bool                    // there is more among it than the time of a look
	written time.Time
	reasons map[string]bool
	warned  bool
	refused bool // the server does not let us
	engine  string
}

// NewRecorder makes a recorder for the workers of this host.
func NewRecorder(tallies queue.Tallies, clock func() time.Time, host string, log *slog.Logger) *Recorder {
	return &Recorder{
		tallies: tallies, clock: clock, host: terminal.Shorten(terminal.Escape(host), maxReason), log: log,
		days: make(map[string]*queue.Tally), reasons: make(map[string]bool), written: clock(),
	}
}

// Engine notes what tracks from now on, "native" or "php".
func (r *Recorder) Engine(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.engine = name
}

// Batch counts a batch, and writes when the last time is a while ago. It reports whether it has written.
func (r *Recorder) Batch(b replay.Report) bool {
	r.mu.Lock()
	tally := r.today()
	counts := of(b)
	counts.Excluded, counts.Rejected = r.bounded(counts.Excluded), r.bounded(counts.Rejected)
	counts.addTo(tally.Numbers, b.Queue)
	duration(b.Duration).addTo(tally.Numbers)
	r.stamp(tally, strconv.Itoa(b.Queue))
	r.stamp(tally, general) // a run may take hours
	r.work = true
	r.mu.Unlock()
	return r.tick()
}

// Looked notes that a worker has looked at the queues, and writes when the last time is a while ago. It reports whether
// it has written.
func (r *Recorder) Looked() bool {
	r.mu.Lock()
	r.stamp(r.today(), general)
	r.mu.Unlock()
	return r.tick()
}

// Failed notes the error that has ended a run.
func (r *Recorder) Failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	tally := r.today()
	tally.Numbers[general+":errors"]++
	r.fail(tally, general, err)
	for _, e := range queueErrors(err) {
		r.fail(tally, strconv.Itoa(e.Queue), e.Err)
	}
	r.work = true
}

// today is the tally of this day.
func (r *Recorder) today() *queue.Tally {
	day := r.clock().UTC().Format(time.DateOnly)
	if r.days[day] == nil {
		r.days[day] = &queue.Tally{Numbers: make(map[string]int64), Texts: make(map[string]string)}
	}
	return r.days[day]
}

// stamp notes who was at work when.
func (r *Recorder) stamp(tally *queue.Tally, owner string) {
	tally.Texts[owner+":time"], tally.Texts[owner+":host"], tally.Texts[owner+":engine"] = r.now(), r.host, r.engine
}

func (r *Recorder) fail(tally *queue.Tally, owner string, err error) {
	tally.Texts[owner+":error_time"], tally.Texts[owner+":error_host"] = r.now(), r.host
	tally.Texts[owner+":error"] = terminal.Shorten(terminal.Escape(redact.Text(err.Error())), maxError)
}

func (r *Recorder) now() string { return r.clock().UTC().Format(time.RFC3339) }

// bounded keeps the number of different reasons within its bound.
func (r *Recorder) bounded(counts map[string]int64) map[string]int64 {
	kept := make(map[string]int64, len(counts))
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		name := terminal.Escape(strings.ReplaceAll(reason, "=", "-"))
		name = strings.ToValidUTF8(name[:min(len(name), maxReason)], "")
		if !r.reasons[name] && len(r.reasons) >= maxReasons {
			name = otherReasons
		}
		r.reasons[name] = true
		kept[name] += counts[reason]
	}
	return kept
}

// tick writes what is there when the last time is a while ago.
func (r *Recorder) tick() bool {
	r.mu.Lock()
	every := idleEvery
	if r.work {
		every = writeEvery
	}
	due := r.clock().Sub(r.written) >= every
	r.mu.Unlock()
	return due && r.Write()
}

// Write writes what is there. It reports whether all of it is kept.
func (r *Recorder) Write() bool {
	r.mu.Lock()
	days := r.days
	r.days, r.work, r.written = make(map[string]*queue.Tally), false, r.clock()
	refused := r.refused
	r.mu.Unlock()
	if refused {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, day := range slices.Sorted(maps.Keys(days)) {
		if err := r.add(ctx, day, *days[day]); err != nil {
			r.failed(days, err)
			return false
		}
		delete(days, day)
	}
	return true
}

// add writes what is there of a day, at the second attempt where another worker was in the way or the connection was
// gone.
func (r *Recorder) add(ctx context.Context, day string, tally queue.Tally) error {
	write := func() error { return r.tallies.AddTally(ctx, queue.DayKey(day), queue.TotalKey, Keep, tally) }
	err := write()
	if errors.Is(err, queue.ErrUnavailable) {
		err = write()
	}
	return err
}

// failed keeps what could not be written for the next time.
func (r *Recorder) failed(days map[string]*queue.Tally, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = errors.Is(err, queue.ErrDenied)
	if !r.warned {
		r.warned = true
		advice := "what could not be written is tried again"
		if r.refused {
			advice = "docs/backends.md lists the rights that are needed"
		}
		r.log.Warn("statistics cannot be kept beside the queues; requests are tracked all the same", "error", err, "advice",
			advice)
	}
	if r.refused {
		return
	}
	for day, tally := range days {
		if newer := r.days[day]; newer != nil {
			for name, n := range newer.Numbers {
				tally.Numbers[name] += n
			}
			maps.Copy(tally.Texts, newer.Texts)
		}
		r.days[day] = tally
	}
	r.work = true
}

// queueErrors are the errors of queues that an error consists of.
func queueErrors(err error) []*replay.QueueError {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*replay.QueueError
		for _, e := range several.Unwrap() {
			all = append(all, queueErrors(e)...)
		}
		return all
	}
	if e, ok := errors.AsType[*replay.QueueError](err); ok {
		return []*replay.QueueError{e}
	}
	return nil
}
