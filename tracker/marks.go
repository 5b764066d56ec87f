package tracker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// markKey names a day of a site whose archived reports have to be made again.
type markKey struct {
	site int64
	date string // local, YYYY-MM-DD
}

// marks remembers which days are marked in table option already (spec §14.1): those that the table held when it was
// read, and those that were committed since. Matomo's archiver takes marks away when it has made the reports, so the
// table is read again now and then.
type marks struct {
	mu   sync.Mutex
	days map[markKey]bool
	read int64 // unix seconds
}

const marksTTL = 300 // seconds, like Matomo's general cache

// marked reports whether the day is marked, and whether that is known.
func (m *marks) marked(now int64, key markKey) (marked, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.days[key], m.days != nil && now-m.read < marksTTL
}

// load takes what the table holds.
func (m *marks) load(now int64, options []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.days, m.read = make(map[markKey]bool, len(options)), now
	for _, name := range options {
		if parts := markName.FindStringSubmatch(name); parts != nil {
			site, _ := strconv.ParseInt(parts[1], 10, 64)
			m.days[markKey{site, parts[2]}] = true
		}
	}
}

func (m *marks) add(keys []markKey) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, key := range keys {
		if m.days != nil {
			m.days[key] = true
		}
	}
}

const markInfix = "_report_to_invalidate_"

var markName = regexp.MustCompile(`report_to_invalidate_([0-9]{1,18})_([0-9-]{10})`)

// optionName is the name of the option that marks the day. Random characters in front keep writers from waiting for
// each other.
func (k markKey) optionName(pid int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	var b strings.Builder
	for range 4 {
		b.WriteByte(alphabet[rand.IntN(len(alphabet))])
	}
	return b.String() + markInfix + strconv.FormatInt(k.site, 10) + "_" + k.date + "_" + strconv.Itoa(pid)
}

// mark notes that the reports of the request's day have to be made again, if it is over in the site's time zone.
func (a *applier) mark(ctx context.Context, p *parsed) error {
	if p.date >= a.today.in(p.facts.Site.Location, a.batch.now) {
		return nil
	}
	key := markKey{p.facts.Site.ID, p.date}
	if a.marking[key] || a.t.markedInFlight(key) {
		return nil
	}
	marked, known := a.t.marked.marked(a.batch.now, key)
	if !known {
		tx, err := a.work.database(ctx)
		if err != nil {
			return err
		}
		options, err := tx.OptionNames(ctx, "%"+markInfix+"%")
		if err != nil {
			return fmt.Errorf("option: %w", err)
		}
		a.t.marked.load(a.batch.now, options)
		marked, _ = a.t.marked.marked(a.batch.now, key)
	}
	if marked {
		return nil
	}
	a.marking[key] = true
	a.bans.stale = true // Matomo throws its general cache away
	a.work.pending.marks = append(a.work.pending.marks, key)
	return nil
}

// markedInFlight reports whether one of the batches that are not committed yet has marked a day.
func (t *Tracker) markedInFlight(key markKey) bool {
	for written := range t.inFlight.Uncommitted() {
		if written.marked[key] {
			return true
		}
	}
	return false
}

// today remembers the date of the last time zone that it was asked for.
type today struct {
	location *time.Location
	date     string
}

func (t *today) in(location *time.Location, now int64) string {
	if t.location != location || t.date == "" {
		t.location, t.date = location, php.LocalDate(now, location)
	}
	return t.date
}

func (w *unitOfWork) writeMarks(ctx context.Context) error {
	names := make([]string, len(w.pending.marks))
	for i, key := range w.pending.marks {
		names[i] = key.optionName(w.t.pid)
	}
	if err := w.tx.CreateOptions(ctx, names, "1"); err != nil {
		return fmt.Errorf("option: %w", err)
	}
	w.newMarks = append(w.newMarks, w.pending.marks...)
	return nil
}
