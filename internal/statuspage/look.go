package statuspage

import (
	"context"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/metrics"
)

const (
	// fresh is how long what was seen is shown again: readers of the page do not make work for the queues.
	fresh = time.Second
	// kept is how many looks are remembered, for the graphs.
	kept = 60
	// window is how far back the look is with which the latest is compared for the rates.
	window = time.Minute
	// patience bounds a look.
	patience = 2 * time.Second
)

// look is what was seen at one moment.
type look struct {
	time     time.Time
	queues   []metrics.QueueState
	err      error // the queues cannot be looked at
	days     []history.Period
	total    history.Period
	untold   error // what runs did cannot be read
	compared *look // an earlier look; nil: there is none
}

// latest looks, unless somebody has done so a moment ago.
func (p *Page) latest(ctx context.Context) (now *look, before []*look) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.o.Clock()
	if p.last == nil || at.Sub(p.last.time) >= fresh || at.Before(p.last.time) {
		p.last = p.look(ctx, at)
		if p.last.err == nil {
			p.seen = append(p.seen, p.last)
			p.seen = p.seen[max(0, len(p.seen)-kept):]
		}
	}
	return p.last, p.seen
}

func (p *Page) look(ctx context.Context, at time.Time) *look {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	l := &look{time: at}
	if l.queues, l.err = p.o.Look(ctx); l.err != nil {
		return l
	}
	if l.days, l.untold = history.ReadDays(ctx, p.o.History, at, 2); l.untold == nil {
		l.total, l.untold = history.ReadTotal(ctx, p.o.History)
	}
	for _, earlier := range p.seen {
		if earlier.untold != nil || !earlier.time.Before(at) {
			continue
		}
		if l.compared == nil || at.Sub(earlier.time) >= window {
			l.compared = earlier
		}
	}
	if l.compared != nil { // older looks are not kept for it
		earlier := *l.compared
		earlier.compared = nil
		l.compared = &earlier
	}
	return l
}

// rate is how many requests a second workers have taken out of the queues since the look compared with. Requests counts
// them in a period. It reports false when nobody knows.
func (l *look) rate(requests func(history.Period) int64) (perSecond float64, known bool) {
	if l.compared == nil || l.untold != nil {
		return 0, false
	}
	n := requests(l.total) - requests(l.compared.total)
	return max(0, float64(n)) / l.time.Sub(l.compared.time).Seconds(), true
}
