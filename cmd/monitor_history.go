package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/history"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// historyState is what runs have left of themselves beside the queues.
type historyState struct {
	Days  []history.Period `json:"days"`  // the latest first
	Total history.Period   `json:"total"` // since statistics are kept
}

// addHistory adds what runs did on so many days, and the dead letters. A server that does not let us read it is no
// reason to show nothing.
func (s *snapshot) addHistory(ctx context.Context, backend queue.Backend, days int) error {
	counts, err := letters.NewBox(backend).Counts(ctx)
	if err != nil {
		return err
	}
	for id, n := range counts {
		s.DeadLetters += n
		if id < len(s.Queues) {
			s.Queues[id].DeadLetters = n
		}
	}
	var h historyState
	if h.Days, err = history.ReadDays(ctx, backend, s.Time, days); err == nil {
		h.Total, err = history.ReadTotal(ctx, backend)
	}
	switch {
	case errors.Is(err, queue.ErrDenied):
		text := printable(err)
		s.HistoryError = &text
	case err != nil:
		return err
	default:
		s.History = &h
	}
	return nil
}

// keptDays is for how many days there are numbers.
const keptDays = int(history.Keep / (24 * time.Hour))

// fewQueues is how many queues at most are told of one by one on the screen.
const fewQueues = 4

// historyLines say what runs did today and yesterday, and when somebody was at work last. shown are the queues on the
// screen.
func historyLines(s *snapshot, shown []queueState) (lines []string) {
	switch {
	case s.HistoryError != nil:
		lines = append(lines, "What runs did cannot be read: "+*s.HistoryError)
	case s.History != nil && s.History.Total.LastRun != nil:
		lines = s.History.lines(s.Time, shown)
	}
	if s.DeadLetters > 0 {
		lines = append(lines, terminal.Count(s.DeadLetters, "dead letter")+": see them with queuedtracking failed list")
	}
	return lines
}

func (h *historyState) lines(now time.Time, shown []queueState) (lines []string) {
	for i, name := range []string{"Today (UTC)", "Yesterday"}[:min(2, len(h.Days))] {
		day := h.Days[i]
		lines = append(lines, fmt.Sprintf("%-12s %s", name+":", countsText(day.All())))
		if len(shown) < 2 || len(shown) > fewQueues {
			continue
		}
		for _, q := range shown {
			if counts := day.Queue(q.ID); counts.Requests+counts.DeadLetters > 0 {
				lines = append(lines, fmt.Sprintf("%s, queue %d: %s", name, q.ID, countsText(counts)))
			}
		}
	}
	last := h.Total.LastRun
	lines = append(lines, "Last run:    "+ago(now, *last))
	if e := h.Total.LastError; e != nil {
		lines = append(lines, "Last error:  "+ago(now, e.Moment)+": "+clean(e.Error))
	}
	return lines
}

// countsText are the numbers that are not zero.
func countsText(c history.Counts) string {
	parts := []string{terminal.Number(c.Tracked) + " tracked"}
	for _, part := range []struct {
		n    int64
		text string
	}{
		{history.Sum(c.Excluded), " excluded"},
		{history.Sum(c.Rejected), " rejected"},
		{c.Recovered, " recovered"},
	} {
		if part.n > 0 {
			parts = append(parts, terminal.Number(part.n)+part.text)
		}
	}
	if c.DeadLetters > 0 {
		parts = append(parts, terminal.Count(c.DeadLetters, "dead letter"))
	}
	return strings.Join(parts, ", ")
}

func ago(now time.Time, m history.Moment) string {
	text := fmt.Sprintf("%s ago on %s", terminal.Span(now.Sub(m.Time)), clean(m.Host))
	if m.Engine == string(phpEngine) {
		text += ", through Matomo's own PHP"
	}
	return text
}

// historyBlock is the part of the screen below the table.
func historyBlock(s *snapshot, shown []queueState, columns int) string {
	lines := historyLines(s, shown)
	if len(lines) == 0 {
		return ""
	}
	for i, line := range lines {
		lines[i] = terminal.Wrap(line, columns, "  ")
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// printPlainHistory prints the same lines in a pipe.
func (c *monitorCommand) printPlainHistory(s *snapshot, shown []queueState) {
	for _, line := range historyLines(s, shown) {
		fmt.Fprintf(c.sentences(), "%s  %s\n", s.Time.Format(time.DateTime), strings.TrimSpace(line))
	}
}
