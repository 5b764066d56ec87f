package cmd

import (
	"time"

	"github.com/queuedtracking/queuedtracking/replay"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// processSummary is what process --json prints. Its keys stay; others may be added.
type processSummary struct {
	Time        time.Time              `json:"time"`
	Final       bool                   `json:"final"` // the whole run; else what was done since the object before
	DryRun      bool                   `json:"dry_run"`
	Engine      string                 `json:"engine"`
	Seconds     float64                `json:"seconds"`
	Batches     int                    `json:"batches"`
	Sets        int                    `json:"request_sets"`
	Requests    int                    `json:"requests"`
	Tracked     int                    `json:"tracked"`
	Visits      int                    `json:"visits"`
	Actions     int                    `json:"actions"`
	Conversions int                    `json:"conversions"`
	BotRequests int                    `json:"bot_requests"`
	Excluded    map[string]int         `json:"excluded"`
	Rejected    map[request.Reason]int `json:"rejected"`
	DeadLetters int                    `json:"dead_letters"`
	Recovered   int                    `json:"recovered"`
	Retries     int                    `json:"retries"`
	Waiting     []leftQueue            `json:"waiting,omitzero"` // of a final one, when it could be found out
	Error       *string                `json:"error"`            // what has ended the run
}

func summaryOf(s replay.Summary, took time.Duration) processSummary {
	p := processSummary{
		Seconds: took.Seconds(), Batches: s.Batches, Sets: s.Sets, Requests: s.Requests, Tracked: s.Tracked, Visits: s.Visits,
		Actions: s.Actions, Conversions: s.Conversions, BotRequests: s.BotRequests, Excluded: s.Excluded,
		Rejected:    s.Rejected,
		DeadLetters: s.Failed + s.Undecodable, Recovered: s.Recovered, Retries: s.Retries,
	}
	if p.Excluded == nil {
		p.Excluded = map[string]int{}
	}
	if p.Rejected == nil {
		p.Rejected = map[request.Reason]int{}
	}
	return p
}

// finish makes it the summary of the whole run.
func (p *processSummary) finish(left []leftQueue, err error) {
	p.Final, p.Waiting = true, left
	if err != nil {
		text := printable(err)
		p.Error = &text
	}
}

// printSummaryJSON prints it as one line. That it could not be printed is found out at the end, as for all output.
func (c *processCommand) printSummaryJSON(p processSummary) {
	p.Time, p.DryRun, p.Engine = c.clock().UTC(), c.dryRun, c.chosen.Name()
	_ = printJSON(c.stdout, p)
}
