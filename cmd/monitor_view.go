package cmd

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// heading tells the settings.
func heading(s matomo.QueueSettings) string {
	var b strings.Builder
	if s.Enabled {
		b.WriteString("The queue is enabled: Matomo puts new requests into it.\n")
	} else {
		b.WriteString("THE QUEUE IS DISABLED: Matomo puts no new requests into it, what is in it can still be processed.\n")
	}
	if s.ProcessDuringTrackingRequest {
		b.WriteString("Matomo also processes the queue itself, after tracking requests.\n")
	} else {
		b.WriteString("What is in the queue waits for \"queuedtracking process\".\n")
	}
	fmt.Fprintf(&b, "At most %s; a queue is processed once it holds %s.\n\n",
		terminal.Count(s.NumQueueWorkers, "worker"), terminal.Count(s.NumRequestsToProcess, "request set"))
	return b.String()
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

const rule = "------------------------------------------\n"

// view is the table on the screen.
func view(s *snapshot, p pager, keys bool) string {
	var b strings.Builder
	b.WriteString(rule + "   Queue |     Request sets |   Oldest\n" + rule)
	queues := p.shown(s.Queues)
	for _, q := range queues {
		fmt.Fprintf(&b, "%8d | %16s | %8s%s\n", q.ID, terminal.Number(q.Sets), age(q.Oldest), mark(q.Locked))
	}
	b.WriteString(rule)
	fmt.Fprintf(&b, "%8d | %16s |\n", len(s.Queues), terminal.Number(s.Total))
	b.WriteString(rule)
	fmt.Fprintf(&b, "queues %d-%d | page %d/%d", queues[0].ID, queues[len(queues)-1].ID, p.page, p.pages)
	if keys {
		b.WriteString(" | keys: 0-9 , . arrows q")
	}
	fmt.Fprintf(&b, " | diff/sec %s\n%s. %s active.\n", rate(s.Rate), memory(s.Memory), terminal.Count(s.Active, "worker"))
	b.WriteString(orphanWarning(s.Orphans))
	b.WriteString(historyBlock(s, queues))
	return b.String()
}

func mark(locked bool) string {
	if locked {
		return "  *"
	}
	return ""
}

func age(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return terminal.Span(time.Duration(*seconds * float64(time.Second)))
}

// rate is positive when the queues shrink.
func rate(perSecond *float64) string {
	if perSecond == nil {
		return "-"
	}
	return terminal.Number(int64(math.Round(*perSecond)))
}

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

func orphanWarning(orphans []orphanState) string {
	if len(orphans) == 0 {
		return ""
	}
	parts := make([]string, len(orphans))
	for i, o := range orphans {
		parts[i] = fmt.Sprintf("queue %d with %s", o.ID, terminal.Count(o.Sets, "set"))
	}
	return "Left behind when the number of queues was lowered, until \"queuedtracking process\" moves them: " + strings.Join(parts, ", ") + ".\n"
}

// printPlain prints lines for a pipe: the queues of the page that hold something, and the total.
func (c *monitorCommand) printPlain(s *snapshot) {
	at := s.Time.Format(time.DateTime)
	p := pager{rows: c.rows, page: c.page}
	p.fit(len(s.Queues))
	for _, q := range p.shown(s.Queues) {
		if q.Sets > 0 {
			fmt.Fprintf(c.stdout, "%s  queue %d: %s, the oldest %s\n", at, q.ID, terminal.Count(q.Sets, "set"), old(age(q.Oldest)))
		}
	}
	fmt.Fprintf(c.stdout, "%s  total: %s in %s, diff/sec %s, %s, %s active\n", at,
		terminal.Count(s.Total, "set"), terminal.Count(len(s.Queues), "queue"), rate(s.Rate), memory(s.Memory), terminal.Count(s.Active, "worker"))
	fmt.Fprint(c.stdout, orphanWarning(s.Orphans))
	c.printPlainHistory(s, p.shown(s.Queues))
}

func old(age string) string {
	if age == "" {
		return "of unknown age"
	}
	return age + " old"
}
