package cmd

import (
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/receive"
)

// printTotals says at the end what became of the requests.
func (c *serveCommand) printTotals(t receive.Totals) {
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{
		{t.Queued, "queued"},
		{t.Tracked, "tracked at once"},
		{t.Empty, "empty"},
		{t.Refused, "refused"},
		{t.Limited, "over the rate of a client"},
		{t.Unavailable, "without a place to go (status 503)"},
	} {
		if part.n > 0 {
			parts = append(parts, terminal.Number(part.n)+" "+part.what)
		}
	}
	text := "Received " + terminal.Count(t.All(), "request")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if c.store != nil {
		if entries, _ := c.store.Waiting(); entries > 0 {
			text += fmt.Sprintf("; the spool keeps %s for the next start", terminal.Number(entries))
		}
	}
	fmt.Fprintln(c.out(), text+".")
}
