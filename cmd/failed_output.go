package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay/letters"
)

// printedLetter is a dead letter in JSON, without secrets.
type printedLetter struct {
	ID      string        `json:"id"`
	Queue   int           `json:"queue"`
	Offset  int64         `json:"offset"`
	Request *int          `json:"request"` // null: the entry as a whole
	Reason  string        `json:"reason"`
	Error   string        `json:"error"`
	Time    string        `json:"time"`
	Entry   *printedEntry `json:"entry,omitempty"`
	Bytes   string        `json:"bytes,omitempty"` // of an entry that cannot be decoded, the first ones
}

func letterJSON(l letters.Stored) printedLetter {
	p := printedLetter{
		ID: l.ID, Queue: l.Queue, Offset: l.Offset, Reason: clean(l.Reason), Error: clean(l.Error), Time: clean(l.Time),
	}
	if l.Request != letters.WholeEntry {
		p.Request = &l.Request
	}
	return p
}

// list prints the letters and how many there are of each queue and reason.
func (c *failedCommand) list(ctx context.Context) error {
	var rows [][]string
	type kind struct {
		queue  int
		reason string
	}
	counts := make(map[kind]int)
	var kinds []kind
	n := 0
	err := c.visit(ctx, func(l letters.Stored) error {
		k := kind{l.Queue, clean(l.Reason)}
		if counts[k] == 0 {
			kinds = append(kinds, k)
		}
		counts[k]++
		if n++; c.limit > 0 && n > c.limit {
			return nil
		}
		if c.json {
			return printJSON(c.stdout, letterJSON(l))
		}
		rows = append(rows, letterRow(l))
		return nil
	})
	if err != nil || c.json {
		return err
	}
	if n == 0 {
		fmt.Fprintln(c.stdout, "No dead letters.")
		return nil
	}
	if err := c.table(c.stdout, []string{"ID", "#Queue", "#Offset", "#Request", "Failed (UTC)", "Reason", "Error"},
		rows); err != nil {
		return err
	}
	if n > len(rows) {
		fmt.Fprintf(c.stdout, "%s more; --limit 0 shows all.\n", terminal.Number(n-len(rows)))
	}
	fmt.Fprintln(c.stdout)
	for _, k := range kinds {
		fmt.Fprintf(c.stdout, "Queue %d: %s %s\n", k.queue, terminal.Number(counts[k]), k.reason)
	}
	return nil
}

func letterRow(l letters.Stored) []string {
	request := "all"
	if l.Request != letters.WholeEntry {
		request = strconv.Itoa(l.Request)
	}
	return []string{
		l.ID, strconv.Itoa(l.Queue), strconv.FormatInt(l.Offset, 10), request,
		failedAt(l.Time), cell(l.Reason, 20), cell(l.Error, cellWidth),
	}
}

// failedAt is the time of a letter as tables show times.
func failedAt(written string) string {
	at, err := time.Parse(time.RFC3339, written)
	if err != nil {
		return cell(written, 20)
	}
	return at.UTC().Format(time.DateTime)
}

// shownBytes is how much of an entry that cannot be decoded is shown.
const shownBytes = 300

// show prints letters with what they hold.
func (c *failedCommand) show(ctx context.Context, ids []string) error {
	found, err := c.choose(ctx, ids)
	if err != nil {
		return err
	}
	if len(found) == 0 && !c.json {
		fmt.Fprintln(c.stdout, "No dead letters.")
	}
	for i, l := range found {
		p := letterJSON(l)
		p.hold(l)
		if c.json {
			if err := printJSON(c.stdout, p); err != nil {
				return err
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(c.stdout)
		}
		if err := c.showOne(p); err != nil {
			return err
		}
	}
	return nil
}

// hold adds what the letter holds.
func (p *printedLetter) hold(l letters.Stored) {
	entry := entryJSON(l.Queue, 0, l.Entry)
	if entry.Error != "" {
		p.Bytes = clean(string(l.Entry[:min(len(l.Entry), shownBytes)]))
		return
	}
	if l.Request >= 0 && l.Request < len(entry.Requests) {
		entry.Requests = entry.Requests[l.Request : l.Request+1]
	}
	p.Entry = &entry
}

func (c *failedCommand) showOne(p printedLetter) error {
	what := "the entry as a whole"
	if p.Request != nil {
		what = "request " + strconv.Itoa(*p.Request)
	}
	fmt.Fprintf(c.stdout, "%s: queue %d, offset %d, %s\nfailed:  %s\nreason:  %s\n", p.ID, p.Queue, p.Offset, what,
		p.Time, p.Reason)
	fmt.Fprintln(c.stdout, c.item("error:   ", p.Error))
	if p.Entry == nil {
		fmt.Fprintf(c.stdout, "bytes:   %s\n", p.Bytes)
		return nil
	}
	fmt.Fprintf(c.stdout, "queued:  %s\n", p.Entry.Queued)
	for _, part := range []struct {
		name string
		text []json.RawMessage
	}{
		{"request", p.Entry.Requests},
		{"server", []json.RawMessage{p.Entry.Server}},
		{"cookies", []json.RawMessage{p.Entry.Cookies}},
	} {
		for _, text := range part.text {
			if len(text) == 0 {
				continue
			}
			lines, err := indented(text, "         ")
			if err != nil {
				return err
			}
			fmt.Fprintf(c.stdout, "%-8s %s\n", part.name+":", lines)
		}
	}
	return nil
}
