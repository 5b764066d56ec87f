package statuspage

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// view is the page in words.
type view struct {
	Style          template.CSS
	Refresh, Every int // seconds; Refresh is 0 when the page stays as it is
	Command, Time  string
	Away           string // why the queues cannot be looked at
	Tiles          []fact
	Queues         []queueView
	Hidden         string // queues that are not shown
	Days           []dayView
	Untold         string // why there are no days
	Facts          []fact
}

// fact is something with a name.
type fact struct {
	Name, Value, Note string
	Bad               bool
}

// queueView is a line of the table of queues.
type queueView struct {
	ID                                  int
	Sets, Oldest, Rate, Locked, Letters string
	Busy, Bad                           bool
	Points, Story                       string // of the graph; empty: there is none
}

// dayView is a line of the table of days.
type dayView struct {
	Name, Tracked, Excluded, Rejected, Letters, Visits, Actions string
}

// unknown stands for what nobody knows.
const unknown = "–"

func (p *Page) view(l *look, seen []*look) view {
	v := view{Command: p.o.Command, Time: l.time.UTC().Format("2006-01-02 15:04:05 UTC")}
	if l.err != nil {
		v.Away = clean(l.err.Error())
	} else {
		v.Tiles = l.tiles()
		v.Queues, v.Hidden = l.rows(seen)
		v.Days = l.dayRows()
		v.Facts = l.runs()
	}
	if l.untold != nil {
		v.Untold = clean(l.untold.Error())
	}
	v.Facts = append(v.Facts, p.facts()...)
	return v
}

// tiles are the numbers to see first.
func (l *look) tiles() []fact {
	var sets, letters int64
	var oldest time.Duration
	locked := 0
	for _, q := range l.queues {
		sets, letters, oldest = sets+q.Sets, letters+q.DeadLetters, max(oldest, q.Oldest)
		if q.Lock != 0 {
			locked++
		}
	}
	age := unknown
	if oldest > 0 {
		age = terminal.Span(oldest)
	}
	rate := fact{Name: "Requests a second", Value: unknown, Note: "known from the second look on"}
	if n, known := l.rate(func(p history.Period) int64 { return p.All().Requests }); known {
		rate.Value, rate.Note = perSecond(n), "tracked in the last "+terminal.Span(l.time.Sub(l.compared.time))
	}
	return []fact{
		{Name: "Waiting sets", Value: terminal.Number(sets), Note: "in " + terminal.Count(len(l.queues), "queue")},
		{Name: "Oldest set", Value: age},
		rate,
		{Name: "Workers at work", Value: terminal.Number(locked), Note: "each has locked a queue"},
		{Name: "Dead letters", Value: terminal.Number(letters), Note: "queuedtracking failed list", Bad: letters > 0},
	}
}

const (
	// fewQueues is how many queues are shown even if nothing is in them, manyQueues how many are shown at all.
	fewQueues  = 16
	manyQueues = 200
)

// rows are the queues; where there are many, those in which something is.
func (l *look) rows(seen []*look) (rows []queueView, hidden string) {
	for _, q := range l.queues {
		quiet := q.Sets == 0 && q.DeadLetters == 0 && q.Lock == 0
		if len(l.queues) > fewQueues && quiet || len(rows) == manyQueues {
			continue
		}
		row := queueView{
			ID: q.ID, Sets: terminal.Number(q.Sets), Oldest: unknown, Rate: unknown, Locked: "no",
			Letters: terminal.Number(q.DeadLetters), Busy: q.Lock != 0, Bad: q.DeadLetters > 0,
		}
		if q.Oldest > 0 {
			row.Oldest = terminal.Span(q.Oldest)
		}
		if n, known := l.rate(func(p history.Period) int64 { return p.Queue(q.ID).Requests }); known {
			row.Rate = perSecond(n)
		}
		if row.Busy {
			row.Locked = "yes"
		}
		row.Points, row.Story = graph(lengths(seen, q.ID))
		rows = append(rows, row)
	}
	if n := len(l.queues) - len(rows); n > 0 {
		hidden = terminal.Count(n, "more queue") + ", most of them empty"
	}
	return rows, hidden
}

// lengths are those of a queue at each look.
func lengths(seen []*look, id int) (sets []int64) {
	for _, l := range seen {
		if id < len(l.queues) {
			sets = append(sets, l.queues[id].Sets)
		}
	}
	return sets
}

// Size of a graph, in the units of its points.
const (
	graphWidth  = 120
	graphHeight = 20
)

// graph gives the points of a line that begins at the left, and says in words what it shows. The lower edge is 0.
func graph(sets []int64) (points, story string) {
	if len(sets) < 2 {
		return "", ""
	}
	highest := int64(1)
	for _, n := range sets {
		highest = max(highest, n)
	}
	var b strings.Builder
	for i, n := range sets {
		x := float64(i) * graphWidth / float64(len(sets)-1)
		y := graphHeight - float64(n)*graphHeight/float64(highest)
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
	}
	first, last := sets[0], sets[len(sets)-1]
	return strings.TrimSpace(b.String()), fmt.Sprintf("%s, then %s, at most %s", terminal.Number(first),
		terminal.Number(last), terminal.Number(highest))
}

func (l *look) dayRows() (rows []dayView) {
	for i, name := range []string{"Today", "Yesterday"}[:min(2, len(l.days))] {
		c := l.days[i].All()
		rows = append(rows, dayView{
			Name: name, Tracked: terminal.Number(c.Tracked), Excluded: terminal.Number(history.Sum(c.Excluded)),
			Rejected: terminal.Number(history.Sum(c.Rejected)), Letters: terminal.Number(c.DeadLetters),
			Visits: terminal.Number(c.Visits), Actions: terminal.Number(c.Actions),
		})
	}
	return rows
}

// runs are the last run and the last error.
func (l *look) runs() []fact {
	run := fact{Name: "Last run", Value: "none is known of"}
	if last := l.total.LastRun; last != nil {
		run.Value = l.ago(*last)
	}
	failure := fact{Name: "Last error", Value: "none"}
	if last := l.total.LastError; last != nil {
		failure.Value, failure.Note, failure.Bad = l.ago(last.Moment), clean(last.Error), true
	}
	return []fact{run, failure}
}

func (l *look) ago(m history.Moment) string {
	return fmt.Sprintf("%s ago on %s", terminal.Span(l.time.Sub(m.Time)), clean(m.Host))
}

// facts are what this process is.
func (p *Page) facts() (facts []fact) {
	if p.o.Spool != nil {
		entries, size := p.o.Spool()
		facts = append(facts, fact{
			Name: "Spool", Value: terminal.Number(entries) + " on disk", Note: terminal.Bytes(size), Bad: entries > 0,
		})
	}
	engine, matomo := p.o.Engine, p.o.Matomo
	if engine == "" {
		engine = "none in this process"
	}
	if matomo == "" {
		matomo = "not asked"
	}
	return append(facts, fact{Name: "Engine", Value: engine},
		fact{Name: "queuedtracking", Value: p.o.Version}, fact{Name: "Matomo", Value: clean(matomo)})
}

// perSecond writes a rate: with a decimal place where it is small.
func perSecond(n float64) string {
	if n > 0 && n < 10 {
		return strconv.FormatFloat(n, 'f', 1, 64)
	}
	return terminal.Number(int64(math.Round(n)))
}

// clean masks secrets and shows what cannot be seen. The template escapes what HTML would take for its own.
func clean(text string) string { return terminal.Escape(redact.Text(text)) }
