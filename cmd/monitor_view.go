package cmd

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// heading tells the settings.
func heading(s matomo.QueueSettings, columns int) string {
	enabled := "The queue is enabled: Matomo puts new requests into it."
	if !s.Enabled {
		enabled = "THE QUEUE IS DISABLED: Matomo puts no new requests into it, what is in it can still be processed."
	}
	processed := "What is in the queue waits for \"queuedtracking process\"."
	if s.ProcessDuringTrackingRequest {
		processed = "Matomo also processes the queue itself, after tracking requests."
	}
	size := fmt.Sprintf("At most %s; a queue is processed once it holds %s.",
		terminal.Count(s.NumQueueWorkers, "worker"), terminal.Count(s.NumRequestsToProcess, "request set"))
	return fit(enabled, columns) + fit(processed, columns) + fit(size, columns) + "\n"
}

// pager tells which queues are on the screen.
type pager struct {
	rows, page, pages int
}

// fit keeps the page among those that there are for n queues.
func (p *pager) fit(n int) {
	p.rows = min(p.rows, n)
	p.pages = (n + p.rows - 1) / p.rows
	p.page = min(max(p.page, 1), p.pages)
}

// press turns pages.
func (p *pager) press(key terminal.Key) {
	switch {
	case key == ',':
		p.page = 1
	case key == '.':
		p.page = p.pages
	case key == terminal.KeyRight:
		p.page++
	case key == terminal.KeyLeft:
		p.page--
	case key == terminal.KeyUp:
		p.page += 10
	case key == terminal.KeyDown:
		p.page -= 10
	case key >= '0' && key <= '9':
		digit := int(key - '0')
		if digit == 0 {
			digit = 10
		}
		p.page = (p.page-1)/10*10 + digit
	}
	p.page = min(max(p.page, 1), max(p.pages, 1))
}

// shown returns the queues of the page.
func (p *pager) shown(all []queueState) []queueState {
	from := min((p.page-1)*p.rows, len(all))
	return all[from:min(from+p.rows, len(all))]
}

const rule = "------------------------------------------------------\n"

// view is the table on the screen; g may be nil.
func view(s *snapshot, g *graphs, p pager, keys bool, columns int) string {
	var b strings.Builder
	width := g.columnsIn(columns)
	rule := rule
	if width > 0 {
		rule = strings.Repeat("-", tableWidth+2*(len(" | ")+width)) + "\n"
	}
	b.WriteString(rule + row("Queue", false, "Sets", "Oldest", "Change/s", "Empty in", g.headings(width)) + rule)
	queues := p.shown(s.Queues)
	for _, q := range queues {
		b.WriteString(row(strconv.Itoa(q.ID), q.Locked, terminal.Number(q.Sets), age(q.Oldest),
			change(q.Rate), emptyIn(q.Sets, q.Rate), g.beside(q.ID, width)))
	}
	b.WriteString(rule)
	b.WriteString(row("Total", false, terminal.Number(s.Total), age(s.oldest()), change(s.Rate),
		emptyIn(s.Total, s.Rate), g.beside(allQueues, width)))
	b.WriteString(rule)
	fmt.Fprintf(&b, "queues %d-%d of %d | page %d/%d", queues[0].ID, queues[len(queues)-1].ID, len(s.Queues), p.page,
		p.pages)
	if keys {
		b.WriteString(" | keys: 0-9 , . arrows q")
	}
	fmt.Fprintf(&b, "\n%s%s", fit(memory(s.Memory)+".", columns)+terminal.Count(s.Active, "worker")+" active.\n",
		g.below(queues, columns)+below(s, queues, columns))
	if text := legend(s, g.drawn()); text != "" {
		b.WriteString("\n" + fit(text, columns))
	}
	return b.String()
}

// legend explains what the table shows.
func legend(s *snapshot, drawn bool) string {
	var parts []string
	if s.Active > 0 {
		parts = append(parts, "* a worker has locked this queue.")
	}
	if s.Rate != nil {
		parts = append(parts, "Change/s: request sets more (+) or fewer (-) per second since the last look.",
			"Empty in: the time left at that pace.")
	}
	if drawn {
		parts = append(parts, "Graphs: a bar for each look, the latest at the right.")
	}
	return strings.Join(parts, " ")
}

// row is a line of the table, with a mark if the queue is locked. graphs stand at its end.
func row(name string, locked bool, sets, oldest, change, empty, graphs string) string {
	mark := " "
	if locked {
		mark = "*"
	}
	line := fmt.Sprintf("%5s %s | %10s | %8s | %8s | %8s%s", name, mark, sets, oldest, change, empty, graphs)
	return strings.TrimRight(line, " ") + "\n"
}

// below is what stands below the table; shown are the queues in it.
func below(s *snapshot, shown []queueState, columns int) string {
	return orphanWarning(s.Orphans, columns) + historyBlock(s, shown, columns)
}

// oldest is the age of the oldest set of all queues; nil: nobody knows.
func (s *snapshot) oldest() (oldest *float64) {
	older := func(age *float64) {
		if age != nil && (oldest == nil || *age > *oldest) {
			oldest = age
		}
	}
	for _, q := range s.Queues {
		older(q.Oldest)
	}
	for _, o := range s.Orphans {
		older(o.Oldest)
	}
	return oldest
}

func age(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return span(*seconds)
}

func span(seconds float64) string {
	return terminal.Span(time.Duration(seconds * float64(time.Second)))
}

// change writes by how much the number of sets changes each second: fewer with a minus. It is the opposite of the rate.
func change(rate *float64) string {
	if rate == nil {
		return ""
	}
	n := -int64(math.Round(*rate))
	if n > 0 {
		return "+" + terminal.Number(n)
	}
	return terminal.Number(n)
}

// emptyIn is when a queue with n sets will be empty.
func emptyIn(n int64, rate *float64) string {
	switch {
	case n == 0 || rate == nil:
		return ""
	case *rate < 0:
		return "(grows)"
	}
	left := secondsLeft(n, *rate)
	if left == nil || *left > longestForecast.Seconds() {
		return "-"
	}
	return span(*left)
}

// longestForecast bounds what can be said from two looks, a few seconds apart.
const longestForecast = 100 * 24 * time.Hour

func memory(m memoryState) string {
	if m.Used == nil {
		return "The server does not tell how much memory it uses"
	}
	text := terminal.Bytes(*m.Used) + " memory used"
	if m.Peak != nil {
		text += " (" + terminal.Bytes(*m.Peak) + " at its peak)"
	}
	return text
}

func orphanWarning(orphans []orphanState, columns int) string {
	if len(orphans) == 0 {
		return ""
	}
	parts := make([]string, len(orphans))
	for i, o := range orphans {
		parts[i] = fmt.Sprintf("queue %d with %s", o.ID, terminal.Count(o.Sets, "set"))
	}
	return fit("Left behind when the number of queues was lowered, until \"queuedtracking process\" moves them: "+
		strings.Join(parts, ", ")+".", columns)
}

// printPlain prints lines for a pipe: the queues of the page that hold something, and the total.
func (c *monitorCommand) printPlain(s *snapshot) {
	w, at := c.sentences(), s.Time.Format(time.DateTime)
	p := pager{rows: c.rows, page: c.page}
	p.fit(len(s.Queues))
	for _, q := range p.shown(s.Queues) {
		if q.Sets > 0 {
			fmt.Fprintf(w, "%s  queue %d: %s, the oldest %s%s\n", at, q.ID,
				terminal.Count(q.Sets, "set"), old(age(q.Oldest)), trend(q.Sets, q.Rate))
		}
	}
	fmt.Fprintf(w, "%s  total: %s in %s%s, %s, %s active\n", at,
		terminal.Count(s.Total, "set"), terminal.Count(len(s.Queues), "queue"),
		trend(s.Total, s.Rate), memory(s.Memory), terminal.Count(s.Active, "worker"))
	fmt.Fprint(w, orphanWarning(s.Orphans, c.device(c.stdout).Width()))
	c.printPlainHistory(s, p.shown(s.Queues))
}

// trend is ", -120/s, empty in 10s", or nothing when nobody knows.
func trend(n int64, rate *float64) string {
	if rate == nil {
		return ""
	}
	text := ", " + change(rate) + "/s"
	if left := secondsLeft(n, *rate); n > 0 && left != nil && *left <= longestForecast.Seconds() {
		text += ", empty in " + span(*left)
	}
	return text
}

func old(age string) string {
	if age == "" {
		return "of unknown age"
	}
	return age + " old"
}
